"""What grows something that is set up elsewhere is asked about as that thing, by the resolver."""

from __future__ import annotations

import pytest

from adapters.aws.aws_shown import Answers, items

CONFIG = {
    "EndpointConfigName": "c",
    "ProductionVariants": [
        {"VariantName": "small", "InstanceType": "ml.m5.large", "ModelName": "m"},
        {"VariantName": "big", "InstanceType": "ml.p5.48xlarge", "ModelName": "m"},
    ],
}
ANSWERS = {
    "DescribeEndpoint": {"EndpointConfigName": "c"},
    "DescribeEndpointConfig": CONFIG,
    "DescribeInferenceComponent": {
        "EndpointName": "e",
        "Specification": {"ComputeResourceRequirements": {"NumberOfAcceleratorDevicesRequired": 1}},
    },
    "DescribeSpotFleetRequests": {
        "SpotFleetRequestConfigs": [
            {"SpotFleetRequestConfig": {"TargetCapacity": 1, "LaunchSpecifications": [{"InstanceType": "g6.xlarge"}]}}
        ]
    },
    "DescribeServices": {"services": [{"launchType": "EC2", "taskDefinition": "t:1"}]},
    "DescribeTaskDefinition": {
        "taskDefinition": {
            "containerDefinitions": [{"name": "c", "resourceRequirements": [{"type": "GPU", "value": "2"}]}]
        }
    },
    "ListInstanceGroups": {
        "InstanceGroups": [{"Id": "ig-1", "InstanceType": "m5.xlarge"}, {"Id": "ig-2", "InstanceType": "p4d.24xlarge"}]
    },
    "DescribeFleets": {"Fleets": [{"InstanceType": "stream.graphics.g6.xlarge"}]},
    "DescribeWorkspacesPools": {"WorkspacesPools": [{"BundleId": "wsb-1"}]},
    "DescribeWorkspaceBundles": {"Bundles": [{"ComputeType": {"Name": "GRAPHICS_G6_XLARGE"}}]},
}


@pytest.mark.parametrize(
    ("space", "ident", "expected"),
    [
        ("sagemaker", "endpoint/e/variant/big", ["ml.p5.48xlarge x8"]),
        ("sagemaker", "endpoint/e/variant/small", ["ml.m5.large x8"]),
        ("sagemaker", "endpoint/e/variant/renamed", ["ml.m5.large x8", "ml.p5.48xlarge x8"]),
        ("sagemaker", "inference-component/c", ["ml.m5.large x8", "ml.p5.48xlarge x8"]),
        ("ec2", "spot-fleet-request/sfr-1", ["g6.xlarge x8"]),
        ("ecs", "service/c/s", ["acc:? x16"]),
        ("elasticmapreduce", "instancegroup/j-1/ig-2", ["p4d.24xlarge x8"]),
        ("elasticmapreduce", "instancegroup/j-1/ig-1", ["m5.xlarge x8"]),
        ("appstream", "fleet/f", ["stream.graphics.g6.xlarge x8"]),
        ("workspaces", "workspacespool/p", ["g6.xlarge x1"]),
        ("custom-resource", "https://x/y", ["? x8"]),
        ("dynamodb", "table/t", None),
    ],
)
@pytest.mark.parametrize("operation", ["RegisterScalableTarget", "PutScheduledAction"])
def test_a_scalable_target_is_what_it_runs_on_at_its_largest(operation, space, ident, expected):
    """Both calls set bounds; what lies between them is reached without a further call."""
    bounds = {"MinCapacity": 1, "MaxCapacity": 8}
    given = bounds if operation == "RegisterScalableTarget" else {"ScalableTargetAction": bounds}
    parameters = {"ServiceNamespace": space, "ResourceId": ident, **given}
    assert items("application-autoscaling", operation, parameters, resolver=Answers(ANSWERS)) == expected


def test_a_task_without_an_accelerator_may_be_scaled():
    """A service on Fargate, or whose task asks for no GPU, is everyday."""
    plain = {**ANSWERS, "DescribeTaskDefinition": {"taskDefinition": {"containerDefinitions": [{"name": "c"}]}}}
    fargate = {"DescribeServices": {"services": [{"launchType": "FARGATE", "taskDefinition": "t:1"}]}}
    target = {"ServiceNamespace": "ecs", "ResourceId": "service/c/s", "MinCapacity": 1, "MaxCapacity": 50}
    for answers in (plain, fargate):
        assert items("application-autoscaling", "RegisterScalableTarget", target, resolver=Answers(answers)) is None


FLEETS = {
    "ListInstanceFleets": {
        "InstanceFleets": [
            {"Id": "if-1", "InstanceTypeSpecifications": [{"InstanceType": "m5.xlarge"}]},
            {
                "Id": "if-2",
                "InstanceTypeSpecifications": [{"InstanceType": "m5.xlarge"}, {"InstanceType": "g5.xlarge"}],
            },
        ]
    }
}


@pytest.mark.parametrize(
    ("operation", "parameters", "expected"),
    [
        (
            "ModifyInstanceFleet",
            {"InstanceFleet": {"InstanceFleetId": "if-2", "TargetOnDemandCapacity": 2, "TargetSpotCapacity": 3}},
            ["m5.xlarge x5", "g5.xlarge x5"],
        ),
        (
            "PutManagedScalingPolicy",
            {"ManagedScalingPolicy": {"ComputeLimits": {"UnitType": "InstanceFleetUnits", "MaximumCapacityUnits": 9}}},
            ["m5.xlarge x9", "m5.xlarge x9", "g5.xlarge x9"],
        ),
        (
            "PutManagedScalingPolicy",
            {"ManagedScalingPolicy": {"ComputeLimits": {"UnitType": "VCPU", "MaximumCapacityUnits": 9}}},
            ["m5.xlarge x?", "m5.xlarge x?", "g5.xlarge x?"],
        ),
    ],
)
def test_a_cluster_of_fleets_is_resolved(operation, parameters, expected):
    """A cluster has groups or fleets; whichever it has is read."""
    found = items("emr", operation, {"ClusterId": "j-1", **parameters}, resolver=Answers(FLEETS))
    assert found == expected


@pytest.mark.parametrize(("unit", "expected"), [("Instances", "p4d.24xlarge x40"), ("VCPU", "p4d.24xlarge x?")])
def test_managed_scaling_counts_when_a_cluster_is_made(unit, expected):
    """The cluster starts small and may grow to what its policy allows; its primary node does not."""
    instances = {
        "InstanceGroups": [
            {"InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1},
            {"InstanceRole": "CORE", "InstanceType": "p4d.24xlarge", "InstanceCount": 1},
        ]
    }
    policy = {"ComputeLimits": {"UnitType": unit, "MinimumCapacityUnits": 1, "MaximumCapacityUnits": 40}}
    found = items("emr", "RunJobFlow", {"Name": "n", "Instances": instances, "ManagedScalingPolicy": policy})
    assert found == ["m5.xlarge x1", expected]


def test_an_image_pipeline_that_is_started_takes_its_infrastructure():
    """The pipeline names its infrastructure configuration, which names the instances."""
    answers = Answers(
        {
            "GetImagePipeline": {"imagePipeline": {"infrastructureConfigurationArn": "arn:i"}},
            "GetInfrastructureConfiguration": {"infrastructureConfiguration": {"instanceTypes": ["p5.48xlarge"]}},
        }
    )
    found = items("imagebuilder", "StartImagePipelineExecution", {"imagePipelineArn": "arn:p"}, resolver=answers)
    assert found == ["p5.48xlarge x1"]
