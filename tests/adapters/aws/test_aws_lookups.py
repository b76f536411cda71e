"""What a call only names, found by a resolver one or two steps away."""

# ruff: noqa: E501 - a case a line reads best

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ParamValidationError

from adapters.aws.aws_shown import Answers, items, known
from exportguard.adapters.aws.facts import observe
from exportguard.adapters.aws.lookup import Question, Together
from exportguard.adapters.aws.resolver import ClientResolver
from exportguard.vocabulary import Unknown

LOOKED_UP = [
    ("mgn", "StartCutover", {"sourceServerIDs": ["s-1"]}, {
        "GetLaunchConfiguration": {"ec2LaunchTemplateID": "lt-1"},
        "DescribeLaunchTemplateVersions": {"LaunchTemplateVersions": [{"LaunchTemplateData": {"InstanceType": "p5.48xlarge"}}]},
    }, ["p5.48xlarge x1"]),
    ("ec2", "ModifyCapacityReservationFleet", {"CapacityReservationFleetId": "c", "TotalTargetCapacity": 4}, {
        "DescribeCapacityReservationFleets": {"CapacityReservationFleets": [
            {"InstanceTypeSpecifications": [{"InstanceType": "p5.48xlarge"}]}]}}, ["p5.48xlarge x4"]),
    ("sagemaker-runtime", "InvokeEndpoint", {"EndpointName": "e"}, {
        "DescribeEndpoint": {"EndpointConfigName": "c"},
        "DescribeEndpointConfig": {"ProductionVariants": [{"ModelName": "m"}]},
        "DescribeModel": {"PrimaryContainer": {"Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"}},
    }, None),
    ("sagemaker-runtime", "InvokeEndpoint", {"EndpointName": "e"}, {
        "DescribeEndpoint": {"EndpointConfigName": "c"},
        "DescribeEndpointConfig": {"ProductionVariants": [{"ModelName": "m"}]},
        "DescribeModel": {"PrimaryContainer": {"Image": "mine", "ModelDataUrl": "s3://b/w"}},
    }, ["model:? t?"]),
    ("sagemaker", "UpdateEndpointWeightsAndCapacities", {"EndpointName": "e", "DesiredWeightsAndCapacities": [
        {"VariantName": "v", "DesiredInstanceCount": 3}]}, {
        "DescribeEndpoint": {"EndpointConfigName": "c"},
        "DescribeEndpointConfig": {"ProductionVariants": [{"InstanceType": "ml.p5.48xlarge"}]}}, ["ml.p5.48xlarge x3"]),
    ("sagemaker", "StartPipelineExecution", {"PipelineName": "p", "PipelineParameters": [{"Name": "T", "Value": "ml.p5.48xlarge"}]}, {
        "DescribePipeline": {"PipelineDefinition": '{"Parameters": [{"Name": "T", "DefaultValue": "ml.m5.large"}], "Steps": [{"Name": "t", "Type": "Training", '
                             '"Arguments": {"ResourceConfig": {"InstanceType": {"Get": "Parameters.T"}, "InstanceCount": 2}}}]}'}},
        ["ml.p5.48xlarge x?", "ml.p5.48xlarge x2"]),
    ("bedrock-agent-runtime", "InvokeAgent", {"agentId": "A", "agentAliasId": "B"}, {
        "GetAgent": {"agent": {"foundationModel": "amazon.nova-lite-v1:0"}},
        "GetAgentAlias": {"agentAlias": {"routingConfiguration": [{"agentVersion": "2"}]}},
        "GetAgentVersion": {"agentVersion": {"foundationModel": "anthropic.claude-v2"}}},
        ["model:amazon.nova-lite-v1:0 t?", "model:anthropic.claude-v2 t?"]),
    ("bedrock-agent-runtime", "InvokeFlow", {"flowIdentifier": "F", "flowAliasIdentifier": "A"}, {
        "GetFlowAlias": {"routingConfiguration": [{"flowVersion": "1"}]},
        "GetFlowVersion": {"definition": {"nodes": [{"configuration": {"prompt": {"sourceConfiguration": {"inline": {"modelId": "anthropic.claude-v2"}}}}}]}}},
        ["model:anthropic.claude-v2 t?"]),
    ("cloudcontrol", "UpdateResource", {"TypeName": "AWS::AutoScaling::AutoScalingGroup", "Identifier": "g",
        "PatchDocument": '[{"op": "replace", "path": "/MaxSize", "value": "9"}]'}, {
        "GetResource": {"ResourceDescription": {"Properties": '{"MaxSize": "1", "MixedInstancesPolicy": {"LaunchTemplate": {"Overrides": [{"InstanceType": "p5.48xlarge"}]}}}'}}},
        ["p5.48xlarge x9"]),
    ("cloudformation", "UpdateStack", {"StackName": "s", "Parameters": [{"ParameterKey": "T", "UsePreviousValue": True}],
        "TemplateBody": '{"Parameters": {"T": {"Type": "String"}}, "Resources": {"I": {"Type": "AWS::EC2::Instance", "Properties": {"InstanceType": {"Ref": "T"}}}}}'},
        {"DescribeStacks": {"Stacks": [{"Parameters": [{"ParameterKey": "T", "ParameterValue": "p5.48xlarge"}]}]}}, ["p5.48xlarge x1"]),
    ("workspaces", "CreateWorkspaces", {"Workspaces": [{"BundleId": "wsb-1"}]}, {
        "DescribeWorkspaceBundles": {"Bundles": [{"ComputeType": {"Name": "STANDARD"}}]}}, None),
    ("codebuild", "UpdateFleet", {"arn": "a", "baseCapacity": 5}, {"BatchGetFleets": {"fleets": [
        {"environmentType": "LINUX_EC2", "computeConfiguration": {"instanceType": "p5.48xlarge"}}]}}, ["p5.48xlarge x?"]),
    ("codebuild", "UpdateFleet", {"arn": "a", "baseCapacity": 5}, {"BatchGetFleets": {"fleets": [
        {"environmentType": "LINUX_CONTAINER", "computeType": "BUILD_GENERAL1_SMALL"}]}}, None),
    ("workspaces", "UpdateWorkspacesPool", {"PoolId": "p", "Capacity": {"DesiredUserSessions": 5}}, {
        "DescribeWorkspacesPools": {"WorkspacesPools": [{"BundleId": "b"}]},
        "DescribeWorkspaceBundles": {"Bundles": [{"ComputeType": {"Name": "GRAPHICS_G6_XLARGE"}}]}}, ["g6.xlarge x1"]),
    ("elasticbeanstalk", "UpdateEnvironment", {"EnvironmentName": "e", "OptionSettings": [
        {"Namespace": "aws:autoscaling:asg", "OptionName": "MaxSize", "Value": "9"}]}, {"DescribeConfigurationSettings": {
        "ConfigurationSettings": [{"OptionSettings": [{"OptionName": "InstanceTypes", "Value": "p5.48xlarge"}]}]}}, ["p5.48xlarge x?"]),
    ("omics", "StartRun", {"workflowId": "w"}, {"GetWorkflow": {"accelerators": "GPU"}}, ["acc:? x?"]),
    ("omics", "StartRun", {"workflowId": "w"}, {"GetWorkflow": {"id": "w"}}, None),
    ("gamelift", "ResumeGameServerGroup", {"GameServerGroupName": "g"}, {"DescribeGameServerGroup": {"GameServerGroup": {
        "InstanceDefinitions": [{"InstanceType": "g6.xlarge"}]}}}, ["g6.xlarge x?"]),
    ("lambda", "UpdateCapacityProvider", {"CapacityProviderName": "c", "CapacityProviderScalingConfig": {"MaxVCpuCount": 8}}, {
        "GetCapacityProvider": {"CapacityProvider": {"InstanceRequirements": {"AllowedInstanceTypes": ["p5.48xlarge"]}}}},
        ["p5.48xlarge x?"]),
    ("imagebuilder", "RetryImage", {"imageBuildVersionArn": "a"}, {"GetImage": {"image": {"infrastructureConfiguration": {
        "instanceTypes": ["p5.48xlarge"]}}}}, ["p5.48xlarge x1"]),
    ("imagebuilder", "RetryImage", {"imageBuildVersionArn": "a"}, {"GetImage": {"image": {"infrastructureConfiguration": {}}}}, None),
    ("arc-region-switch", "StartPlanExecution", {"planArn": "arn:p", "targetRegion": "us-west-2", "action": "activate"}, {
        "GetPlan": {"plan": {"workflows": [{"steps": [{"executionBlockConfiguration": {"parallelConfig": {"steps": [
            {"executionBlockConfiguration": {"ec2AsgCapacityIncreaseConfig": {"asgs": [
                {"arn": "arn:aws:autoscaling:us-west-2:1:autoScalingGroup:u:autoScalingGroupName/g"}]}}}]}}}]}]}},
        "DescribeAutoScalingGroups": {"AutoScalingGroups": [{"MaxSize": 4, "MixedInstancesPolicy": {"LaunchTemplate": {
            "Overrides": [{"InstanceType": "p5.48xlarge"}]}}}]}}, ["p5.48xlarge x4"]),
    ("arc-region-switch", "StartPlanExecution", {"planArn": "arn:p", "action": "activate"}, {
        "GetPlan": {"plan": {"workflows": [{"steps": [{"executionBlockConfiguration": {"executionApprovalConfig": {}}}]}]}}}, None),
    ("iot", "CreateTopicRule", {"topicRulePayload": {"actions": [{"stepFunctions": {"stateMachineName": "s",
        "roleArn": "arn:aws:iam::111122223333:role/r"}}]}}, {"DescribeStateMachine": {"definition": '{"States": {"A": {"Type": '
        '"Task", "Resource": "arn:aws:states:::aws-sdk:ec2:runInstances", "Parameters": {"InstanceType": "p5.48xlarge"}}}}'}},
        ["p5.48xlarge x?"]),
    ("events", "PutTargets", {"Targets": [{"Arn": "arn:aws:ecs:us-east-1:1:cluster/c", "EcsParameters": {"TaskDefinitionArn": "t"},
        "InputTransformer": {"InputTemplate": '{"containerOverrides": [{"name": "a", "resourceRequirements": '
                                              '[{"type": "GPU", "value": "2"}]}]}'}}]},
        {"DescribeTaskDefinition": {"taskDefinition": {"containerDefinitions": [{"name": "a"}]}}}, ["acc:? x2"]),
    ("events", "PutTargets", {"Targets": [{"Arn": "arn:aws:ecs:us-east-1:1:cluster/c", "EcsParameters": {"TaskDefinitionArn": "t"},
        "InputTransformer": {"InputTemplate": '{"containerOverrides": [{"name": "a", "command": [<cmd>]}]}'}}]},
        {"DescribeTaskDefinition": {"taskDefinition": {"containerDefinitions": [{"name": "a"}]}}}, None),
    ("sagemaker-runtime", "InvokeEndpoint", {"EndpointName": "e"}, {
        "DescribeEndpoint": {"EndpointConfigName": "c"},
        "DescribeEndpointConfig": {"ProductionVariants": [{"ModelName": "m"}]},
        "DescribeModel": {"ExecutionRoleArn": "arn:aws:iam::111122223333:role/r", "PrimaryContainer": {
            "Image": "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1", "ModelDataUrl": "s3://b/w"}},
    }, ["model:? t?"]),
]  # fmt: skip


@pytest.mark.parametrize(("service", "operation", "parameters", "answers", "expected"), LOOKED_UP)
def test_what_a_call_only_names_is_looked_up(service, operation, parameters, answers, expected):
    """One or two steps away: templates of source servers, models behind endpoints, versions behind an alias, patches."""
    assert items(service, operation, parameters, resolver=Answers(answers)) == expected


LAX = {"Subnets": [{"AvailabilityZone": "us-west-2-lax-1a"}]}
STACK = '{"Resources": {"S": {"Type": "AWS::EC2::Subnet", "Properties": %s}, "I": {"Type": "AWS::EC2::Instance", "Properties": {"InstanceType": "p5.48xlarge", "SubnetId": {"Ref": "S"}}}}}'
STANDS = [
    ("ec2", "RunInstances", {"InstanceType": "p5.48xlarge", "SubnetId": "subnet-1"}, LAX, ["us-west-2-lax-1a"]),
    ("ec2", "RunInstances", {"InstanceType": "p5.48xlarge", "SubnetId": "subnet-1"}, {}, ["us-west-2", "?"]),
    ("ec2", "RunInstances", {"InstanceType": "p5.48xlarge", "SubnetId": "subnet-1"}, None, ["us-west-2"]),
    ("ec2", "RunInstances", {"InstanceType": "p5.48xlarge", "SubnetId": "subnet-1"},
        {"Subnets": [{"AvailabilityZone": "us-west-2a", "OutpostArn": "arn:o"}]}, ["us-west-2a", "?"]),
    ("ec2", "RunInstances", {"InstanceType": "p5.48xlarge", "NetworkInterfaces": [{"NetworkInterfaceId": "eni-1"}]},
        {"NetworkInterfaces": [{"AvailabilityZone": "us-west-2-lax-1a"}]}, ["us-west-2-lax-1a"]),
    ("ec2", "RunInstances", {"LaunchTemplate": {"LaunchTemplateId": "lt"}}, {"LaunchTemplateVersions": [{"LaunchTemplateData": {
        "InstanceType": "p5.48xlarge", "Placement": {"AvailabilityZone": "us-west-2-lax-1a"}}}]}, ["us-west-2-lax-1a"]),
    ("ec2", "CreateFleet", {"LaunchTemplateConfigs": [{"Overrides": [{"InstanceType": "p5.48xlarge", "SubnetId": "subnet-1"}]}]}, LAX, ["us-west-2-lax-1a"]),
    ("ec2", "StartInstances", {"InstanceIds": ["i"]}, {"Reservations": [{"Instances": [
        {"InstanceId": "i", "InstanceType": "p5.48xlarge", "Placement": {"AvailabilityZone": "us-west-2-lax-1b"}}]}]}, ["us-west-2-lax-1b"]),
    ("autoscaling", "SetDesiredCapacity", {"AutoScalingGroupName": "g", "DesiredCapacity": 2}, {"AutoScalingGroups": [{
        "MixedInstancesPolicy": {"LaunchTemplate": {"Overrides": [{"InstanceType": "p5.48xlarge"}]}}, "AvailabilityZones": ["us-west-2-lax-1a"]}]}, ["us-west-2-lax-1a"]),
    ("eks", "CreateNodegroup", {"instanceTypes": ["p5.48xlarge"], "subnets": ["subnet-1"]}, LAX, ["us-west-2-lax-1a"]),
    ("batch", "CreateComputeEnvironment", {"computeResources": {"instanceTypes": ["p5"], "subnets": ["subnet-1"]}}, LAX, ["us-west-2-lax-1a"]),
    ("emr", "RunJobFlow", {"Instances": {"MasterInstanceType": "p5.48xlarge", "Ec2SubnetIds": ["subnet-1"]}}, LAX, ["us-west-2-lax-1a"]),
    ("cloudformation", "CreateStack", {"TemplateBody": STACK % '{"AvailabilityZone": "us-west-2-lax-1a"}'}, None, ["us-west-2-lax-1a"]),
    ("cloudformation", "CreateStack", {"TemplateBody": STACK % "{}"}, None, ["us-west-2"]),
]  # fmt: skip


@pytest.mark.parametrize(("service", "operation", "parameters", "answer", "expected"), STANDS)
def test_a_subnet_says_where_an_accelerator_stands(service, operation, parameters, answer, expected):
    """A local zone lies where its name says, an Outpost nobody knows where; a document without look-ups names a region."""

    class One:
        def ask(self, question: Question) -> Any:
            return answer or Unknown("denied")

    seen = observe(
        service, operation, parameters, region="us-west-2", account="1", resolver=One() if answer is not None else None
    )
    assert [known(location.region) for location in seen.locations] == expected


def test_a_subnet_of_a_harmless_instance_is_not_looked_up():
    answers = Answers({})
    assert items(
        "ec2", "RunInstances", {"InstanceType": "t3.micro", "SubnetId": "subnet-1"}, resolver=answers, account="1"
    )
    assert answers.asked == []


def test_an_offering_is_looked_for_among_all_lengths():
    """The API lists offerings of one length at a time; the one that is bought may be of any."""

    class ByLength:
        asked: ClassVar[list[int]] = []

        def ask(self, question: Question) -> Any:
            hours = question.parameters["CapacityDurationHours"]
            self.asked.append(hours)
            found = [{"CapacityBlockOfferingId": "cb-9", "InstanceType": "p5.48xlarge", "InstanceCount": 3}]
            return {"CapacityBlockOfferings": found if hours == 336 else []}

    bought = {"CapacityBlockOfferingId": "cb-9", "InstancePlatform": "Linux/UNIX"}
    assert items("ec2", "PurchaseCapacityBlock", bought, resolver=ByLength()) == ["p5.48xlarge x3"]
    assert ByLength.asked[-1] == 336


def test_a_name_that_cannot_be_asked_about_blinds_nobody():
    """botocore refuses it before it is sent: the next question is asked all the same."""

    class Real(ClientResolver):
        def _call(self, question: Question) -> Any:
            if question.parameters["LaunchTemplateName"] == "x":
                raise ParamValidationError(report="too short")
            return {"LaunchTemplateVersions": []}

    resolver = Real(Credentials("a", "b"), "us-east-1", "https://one.example")
    answers = [
        resolver.ask(Question("ec2", "DescribeLaunchTemplateVersions", {"LaunchTemplateName": n}))
        for n in ("x", "long")
    ]
    assert [isinstance(answer, Unknown) for answer in answers] == [True, False]


def test_the_look_ups_of_one_call_are_bounded_together():
    """However many things a call names, it does not wait for them one after the other for minutes."""
    now = [0.0]

    class Slow:
        asked = 0

        def ask(self, question: Question) -> Any:
            self.asked += 1
            now[0] += 4.0
            return {}

    slow = Slow()
    together = Together(slow, clock=lambda: now[0])
    answers = [together.ask(Question("ec2", "DescribeInstances")) for _ in range(9)]
    assert slow.asked == 3
    assert [isinstance(answer, Unknown) for answer in answers] == [False] * 3 + [True] * 6
