"""Each of the 77 operations that have to be judged, with realistic parameters, evasions included."""

# ruff: noqa: E501 - a case a line reads best

from __future__ import annotations

import json

import pytest

from adapters.aws.aws_shown import Answers, items
from exportguard.adapters.aws.classify import Standing, standing

LT = {"LaunchTemplateId": "lt-1", "Version": "3"}
LT_P5 = {
    "DescribeLaunchTemplateVersions": {
        "LaunchTemplateVersions": [{"LaunchTemplateData": {"InstanceType": "p5.48xlarge"}}]
    }
}
CLAUDE = "anthropic.claude-3-5-sonnet-20241022-v2:0"
ARN = f"arn:aws:bedrock:us-east-1::foundation-model/{CLAUDE}"
GPU_BODY = {"resourceRequirements": [{"type": "GPU", "value": "8"}, {"type": "VCPU", "value": "4"}]}
FIFTY = [{"InstanceType": f"m5.{n}xlarge"} for n in range(49)] + [
    {"InstanceType": "p4d.24xlarge", "WeightedCapacity": "4"}
]
TEMPLATE = {"Resources": {"A": {"Type": "AWS::EC2::Instance", "Properties": {"InstanceType": "p5.48xlarge"}}}}
ML = {"InstanceType": "ml.p4d.24xlarge", "InstanceCount": 2, "VolumeSizeInGB": 5}

CASES = [
    ("autoscaling", "CreateAutoScalingGroup", {"AutoScalingGroupName": "g", "MinSize": 0, "MaxSize": 10, "MixedInstancesPolicy": {
        "LaunchTemplate": {"LaunchTemplateSpecification": LT, "Overrides": [
            {"InstanceType": "p5.48xlarge", "WeightedCapacity": "4"}, {"InstanceType": "m5.large"}, {}]}}},
        LT_P5, ["p5.48xlarge x3", "m5.large x10", "p5.48xlarge x10"]),
    ("autoscaling", "CreateAutoScalingGroup", {"AutoScalingGroupName": "g", "MaxSize": 4, "LaunchConfigurationName": "lc"},
        None, ["? x4"]),
    ("autoscaling", "CreateLaunchConfiguration", {"LaunchConfigurationName": "x", "InstanceType": "g5.xlarge"}, None, ["g5.xlarge x?"]),
    ("autoscaling", "SetDesiredCapacity", {"AutoScalingGroupName": "g", "DesiredCapacity": 7}, None, ["? x7"]),
    ("autoscaling", "SetDesiredCapacity", {"AutoScalingGroupName": "g", "DesiredCapacity": 7},
        {"DescribeAutoScalingGroups": {"AutoScalingGroups": [{"LaunchTemplate": LT, "MaxSize": 9}]}, **LT_P5}, ["p5.48xlarge x7"]),
    ("autoscaling", "SetDesiredCapacity", {"AutoScalingGroupName": "g", "DesiredCapacity": 0}, None, None),
    ("autoscaling", "StartInstanceRefresh", {"AutoScalingGroupName": "g", "DesiredConfiguration": {"LaunchTemplate": LT}}, LT_P5, ["p5.48xlarge x?"]),
    ("autoscaling", "StartInstanceRefresh", {"AutoScalingGroupName": "g"}, None, ["? x?"]),
    ("autoscaling", "UpdateAutoScalingGroup", {"AutoScalingGroupName": "g", "MaxSize": 20}, None, ["? x20"]),
    ("autoscaling", "UpdateAutoScalingGroup", {"AutoScalingGroupName": "g", "DefaultCooldown": 20}, None, None),
    ("batch", "CreateComputeEnvironment", {"computeEnvironmentName": "c", "type": "MANAGED", "computeResources": {
        "type": "EC2", "maxvCpus": 64, "instanceTypes": ["optimal", "p4d", "P5.48XLARGE"]}}, None, ["p4d.24xlarge x?", "P5.48XLARGE x?"]),
    ("batch", "CreateComputeEnvironment", {"computeResources": {"type": "FARGATE", "maxvCpus": 64}}, None, None),
    ("batch", "CreateComputeEnvironment", {"computeResources": {"type": "EC2", "maxvCpus": 64, "instanceTypes": ["optimal"]}}, None, None),
    ("batch", "RegisterJobDefinition", {"jobDefinitionName": "j", "type": "container", "containerProperties": GPU_BODY}, None, ["acc:? x?"]),
    ("batch", "RegisterJobDefinition", {"jobDefinitionName": "j", "nodeProperties": {"numNodes": 4, "mainNode": 0,
        "nodeRangeProperties": [{"targetNodes": "0:", "container": {"instanceType": "p5.48xlarge"}}]}}, None, ["p5.48xlarge x4"]),
    ("batch", "RegisterJobDefinition", {"jobDefinitionName": "j", "type": "container", "containerProperties": {"image": "x"}}, None, None),
    ("batch", "SubmitJob", {"jobName": "j", "jobQueue": "q", "jobDefinition": "d:1", "arrayProperties": {"size": 3}, "containerOverrides": GPU_BODY}, None, ["acc:? x24"]),
    ("batch", "SubmitJob", {"jobName": "j", "jobQueue": "q", "jobDefinition": "d:1"}, None, ["acc:? x?"]),
    ("batch", "SubmitJob", {"jobName": "j", "jobQueue": "q", "jobDefinition": "d:1"},
        {"DescribeJobDefinitions": {"jobDefinitions": [{"containerProperties": {"image": "x"}}]}}, None),
    ("batch", "UpdateComputeEnvironment", {"computeEnvironment": "c", "computeResources": {"instanceTypes": ["p4d.24xlarge"]}}, None, ["p4d.24xlarge x?"]),
    ("batch", "UpdateComputeEnvironment", {"computeEnvironment": "c", "computeResources": {"maxvCpus": 900}}, None, ["? x?"]),
    ("batch", "UpdateComputeEnvironment", {"computeEnvironment": "c", "state": "DISABLED"}, None, None),
    ("bedrock-agent-runtime", "InvokeAgent", {"agentId": "A", "agentAliasId": "B", "sessionId": "s"}, None, ["model:? t?"]),
    ("bedrock-agent-runtime", "InvokeAgent", {"agentId": "A", "agentAliasId": "B", "sessionId": "s"},
        {"GetAgent": {"agent": {"foundationModel": CLAUDE}}}, [f"model:{CLAUDE} t?"]),
    ("bedrock-agent-runtime", "InvokeInlineAgent", {"foundationModel": CLAUDE, "collaborators": [{"foundationModel": "amazon.nova-pro-v1:0"}]},
        None, [f"model:{CLAUDE} t?", "model:amazon.nova-pro-v1:0 t?"]),
    ("bedrock-agent-runtime", "RetrieveAndGenerate", {"retrieveAndGenerateConfiguration": {"knowledgeBaseConfiguration": {"modelArn": ARN}}}, None, [f"model:{CLAUDE} t?"]),
    ("bedrock-agent-runtime", "RetrieveAndGenerateStream", {"retrieveAndGenerateConfiguration": {"externalSourcesConfiguration": {"modelArn": ARN}}}, None, [f"model:{CLAUDE} t?"]),
    ("bedrock-runtime", "Converse", {"modelId": "us." + CLAUDE, "inferenceConfig": {"maxTokens": 512}}, None, [f"model:us.{CLAUDE} t512"]),
    ("bedrock-runtime", "ConverseStream", {"modelId": ARN}, None, [f"model:{CLAUDE} t?"]),
    ("bedrock-runtime", "InvokeModel", {"modelId": CLAUDE, "body": json.dumps({"max_tokens": 99})}, None, [f"model:{CLAUDE} t99"]),
    ("bedrock-runtime", "InvokeModel", {"modelId": "arn:aws:bedrock:us-east-1:111122223333:default-prompt-router/anthropic.claude:1"},
        {"GetPromptRouter": {"models": [{"modelArn": ARN}], "fallbackModel": {"modelArn": ARN.replace("3-5", "3")}}},
        [f"model:{CLAUDE} t?", f"model:{CLAUDE.replace('3-5', '3')} t?", ]),
    ("bedrock-runtime", "InvokeModel", {"modelId": "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abcdefghijkl"}, None, ["model:? t?"]),
    ("bedrock-runtime", "InvokeModelWithBidirectionalStream", {"modelId": "amazon.nova-sonic-v1:0"}, None, ["model:amazon.nova-sonic-v1:0 t?"]),
    ("bedrock-runtime", "InvokeModelWithResponseStream", {"modelId": CLAUDE, "body": b'{"max_gen_len": 5}'}, None, [f"model:{CLAUDE} t5"]),
    ("bedrock-runtime", "StartAsyncInvoke", {"modelId": "amazon.nova-reel-v1:0", "modelInput": {}}, None, ["model:amazon.nova-reel-v1:0 t?"]),
    ("bedrock", "CreateCustomModelDeployment", {"modelArn": "arn:aws:bedrock:us-east-1:111122223333:custom-model/amazon.nova-lite-v1:0:300k/abcdefghijkl"},
        None, ["model:amazon.nova-lite-v1:0:300k t?"]),
    ("bedrock", "CreateFoundationModelAgreement", {"offerToken": "t", "modelId": CLAUDE}, None, [f"model:{CLAUDE} t?"]),
    ("bedrock", "CreateInferenceProfile", {"inferenceProfileName": "p", "modelSource": {"copyFrom": ARN}}, None, [f"model:{CLAUDE} t?"]),
    ("bedrock", "CreateMarketplaceModelEndpoint", {"modelSourceIdentifier": "arn:aws:sagemaker:us-east-1:aws:hub-content/SageMakerPublicHub/Model/llama-3/1.0",
        "endpointConfig": {"sageMaker": {"initialInstanceCount": 2, "instanceType": "ml.p5.48xlarge"}}}, None, ["ml.p5.48xlarge x2", "model:llama-3 t?"]),
    ("bedrock", "CreateModelCopyJob", {"sourceModelArn": "arn:aws:bedrock:us-west-2:111122223333:custom-model/imported/abcdefghijkl", "targetModelName": "n"}, None, ["model:? t?"]),
    ("bedrock", "CreateModelCustomizationJob", {"baseModelIdentifier": ARN}, None, [f"model:{CLAUDE} t?"]),
    ("bedrock", "CreateModelImportJob", {"importedModelName": "n", "modelDataSource": {"s3DataSource": {"s3Uri": "s3://b/deepseek"}}}, None, ["model:? t?"]),
    ("bedrock", "CreateModelInvocationJob", {"modelId": CLAUDE}, None, [f"model:{CLAUDE} t?"]),
    ("bedrock", "CreateProvisionedModelThroughput", {"modelId": CLAUDE, "modelUnits": 4}, None, [f"model:{CLAUDE} t?"]),
    ("cloudcontrol", "CreateResource", {"TypeName": "AWS::EC2::Instance", "DesiredState": '{"InstanceType": "p5.48xlarge"}'}, None, ["p5.48xlarge x1"]),
    ("cloudcontrol", "CreateResource", {"TypeName": "AWS::Logs::LogGroup", "DesiredState": "{}"}, None, None),
    ("cloudformation", "CreateChangeSet", {"StackName": "s", "ChangeSetName": "c", "TemplateBody": json.dumps(TEMPLATE)}, None, ["p5.48xlarge x1"]),
    ("cloudformation", "CreateStack", {"StackName": "s", "TemplateBody": json.dumps(TEMPLATE)}, None, ["p5.48xlarge x1"]),
    ("cloudformation", "CreateStack", {"StackName": "s", "TemplateURL": "https://b.s3.amazonaws.com/t"}, None, ["??"]),
    ("cloudformation", "CreateStackInstances", {"StackSetName": "s", "Regions": ["cn-north-1"]}, None, ["??"]),
    ("cloudformation", "CreateStackSet", {"StackSetName": "s", "TemplateBody": json.dumps(TEMPLATE)}, None, ["p5.48xlarge x1"]),
    ("cloudformation", "ExecuteChangeSet", {"ChangeSetName": "c"}, None, ["??"]),
    ("cloudformation", "ExecuteChangeSet", {"ChangeSetName": "c"}, {"GetTemplate": {"TemplateBody": json.dumps(TEMPLATE)}}, ["p5.48xlarge x1"]),
    ("cloudformation", "UpdateStack", {"StackName": "s", "UsePreviousTemplate": True}, None, ["??"]),
    ("ec2", "AllocateHosts", {"InstanceType": "p4d.24xlarge", "Quantity": 3, "AvailabilityZone": "us-east-1a"}, None, ["p4d.24xlarge x3"]),
    ("ec2", "AllocateHosts", {"InstanceFamily": "p5", "Quantity": 1}, None, ["p5.48xlarge x?", "p5.4xlarge x?"]),
    ("ec2", "AllocateHosts", {"InstanceFamily": "m5", "Quantity": 1}, None, ["m5.large x?"]),
    ("batch", "CreateComputeEnvironment", {"computeResources": {"type": "EC2", "maxvCpus": 64, "instanceTypes": ["c5", "p9x"]}}, None, ["c5.large x?", "p9x.large x?"]),
    ("ec2", "CreateCapacityReservation", {"InstanceType": "p5.48xlarge", "InstanceCount": 4, "InstancePlatform": "Linux/UNIX"}, None, ["p5.48xlarge x4"]),
    ("ec2", "CreateCapacityReservationFleet", {"TotalTargetCapacity": 10, "InstanceTypeSpecifications": [{"InstanceType": "p5.48xlarge", "Weight": 3.0}]}, None, ["p5.48xlarge x4"]),
    ("ec2", "CreateFleet", {"LaunchTemplateConfigs": [{"LaunchTemplateSpecification": LT, "Overrides": FIFTY}],
        "TargetCapacitySpecification": {"TotalTargetCapacity": 10}}, None, [f"m5.{n}xlarge x10" for n in range(49)] + ["p4d.24xlarge x3"]),
    ("ec2", "CreateFleet", {"LaunchTemplateConfigs": [{"LaunchTemplateSpecification": LT}], "TargetCapacitySpecification": {"TotalTargetCapacity": 2}}, LT_P5, ["p5.48xlarge x2"]),
    ("ec2", "CreateFleet", {"LaunchTemplateConfigs": [{"LaunchTemplateSpecification": LT, "Overrides": [{"InstanceRequirements": {
        "VCpuCount": {"Min": 1}, "MemoryMiB": {"Min": 1}, "AcceleratorNames": ["a100", "h100"], "AcceleratorCount": {"Min": 1, "Max": 8}}}]}],
        "TargetCapacitySpecification": {"TotalTargetCapacity": 2}}, None, ["acc:a100 x16", "acc:h100 x16"]),
    ("ec2", "CreateLaunchTemplate", {"LaunchTemplateName": "x", "LaunchTemplateData": {"InstanceType": "p5.48xlarge"}}, None, ["p5.48xlarge x?"]),
    ("ec2", "CreateLaunchTemplate", {"LaunchTemplateName": "x", "LaunchTemplateData": {"ImageId": "ami-1"}}, None, None),
    ("ec2", "CreateLaunchTemplateVersion", {"LaunchTemplateId": "lt-1", "SourceVersion": "1", "LaunchTemplateData": {"ImageId": "ami-1"}}, LT_P5, ["p5.48xlarge x?"]),
    ("ec2", "ModifyFleet", {"FleetId": "f", "TargetCapacitySpecification": {"TotalTargetCapacity": 50}}, None, ["? x50"]),
    ("ec2", "ModifyFleet", {"FleetId": "f", "ExcessCapacityTerminationPolicy": "termination"}, None, None),
    ("ec2", "ModifyInstanceAttribute", {"InstanceId": "i-1", "InstanceType": {"Value": "p5.48xlarge"}}, None, ["p5.48xlarge x1"]),
    ("ec2", "ModifyInstanceAttribute", {"InstanceId": "i-1", "Attribute": "instanceType", "Value": "p5.48xlarge"}, None, ["p5.48xlarge x1"]),
    ("ec2", "ModifyInstanceAttribute", {"InstanceId": "i-1", "EbsOptimized": {"Value": True}}, None, None),
    ("ec2", "ModifySpotFleetRequest", {"SpotFleetRequestId": "s", "TargetCapacity": 5}, None, ["? x5"]),
    ("ec2", "PurchaseCapacityBlock", {"CapacityBlockOfferingId": "cb-1", "InstancePlatform": "Linux/UNIX"}, None, ["? x?"]),
    ("ec2", "PurchaseCapacityBlock", {"CapacityBlockOfferingId": "cb-1", "InstancePlatform": "Linux/UNIX"},
        {"DescribeCapacityBlockOfferings": {"CapacityBlockOfferings": [{"CapacityBlockOfferingId": "cb-0", "InstanceType": "m5.large"},
            {"CapacityBlockOfferingId": "cb-1", "InstanceType": "p5.48xlarge", "InstanceCount": 16, "AvailabilityZone": "us-east-1a"}]}}, ["p5.48xlarge x16"]),
    ("ec2", "RequestSpotFleet", {"SpotFleetRequestConfig": {"IamFleetRole": "r", "TargetCapacity": 9, "LaunchSpecifications": [
        {"InstanceType": "p4d.24xlarge", "WeightedCapacity": 2.0}]}}, None, ["p4d.24xlarge x5"]),
    ("ec2", "RequestSpotInstances", {"InstanceCount": 3, "LaunchSpecification": {"InstanceType": "p3.16xlarge"}}, None, ["p3.16xlarge x3"]),
    ("ec2", "RunInstances", {"InstanceType": "p5.48xlarge", "MinCount": 1, "MaxCount": 4}, None, ["p5.48xlarge x4"]),
    ("ec2", "RunInstances", {"LaunchTemplate": {"LaunchTemplateName": "x"}, "MinCount": 1, "MaxCount": 2}, None, ["? x2"]),
    ("ec2", "RunInstances", {"LaunchTemplate": LT, "MinCount": 1, "MaxCount": 2}, LT_P5, ["p5.48xlarge x2"]),
    ("ec2", "RunInstances", {"LaunchTemplate": LT, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 2}, LT_P5, ["t3.micro x2"]),
    ("ec2", "RunInstances", {"InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 2, "ElasticInferenceAccelerators": [{"Type": "eia2.medium", "Count": 2}]},
        None, ["acc:eia2.medium x4", "t3.micro x2"]),
    ("ec2", "StartInstances", {"InstanceIds": ["i-1", "i-2"]}, None, ["? x1", "? x1"]),
    ("ec2", "StartInstances", {"InstanceIds": ["i-1", "i-2"]}, {"DescribeInstances": {"Reservations": [{"Instances": [
        {"InstanceId": "i-2", "InstanceType": "p5.48xlarge"}]}]}}, ["? x1", "p5.48xlarge x1"]),
    ("ecs", "CreateCapacityProvider", {"name": "c", "managedInstancesProvider": {"instanceLaunchTemplate": {"instanceRequirements": {
        "vCpuCount": {"min": 1}, "acceleratorManufacturers": ["nvidia"], "acceleratorCount": {"max": 8}}}}}, None, ["acc:? x?"]),
    ("ecs", "RegisterTaskDefinition", {"family": "f", "containerDefinitions": [{"name": "c", **GPU_BODY}]}, None, ["acc:? x?"]),
    ("ecs", "RegisterTaskDefinition", {"family": "f", "containerDefinitions": [{"name": "c", "image": "x"}]}, None, None),
    ("ecs", "RunTask", {"taskDefinition": "t:1", "count": 2, "overrides": {"containerOverrides": [GPU_BODY]}}, None, ["acc:? x16"]),
    ("ecs", "RunTask", {"taskDefinition": "t:1", "launchType": "FARGATE"}, None, None),
    ("ecs", "RunTask", {"taskDefinition": "t:1"}, None, ["acc:? x?"]),
    ("eks", "CreateNodegroup", {"clusterName": "c", "nodegroupName": "n", "instanceTypes": ["p5.48xlarge", "m5.large"],
        "scalingConfig": {"minSize": 0, "desiredSize": 1, "maxSize": 16}}, None, ["p5.48xlarge x16", "m5.large x16"]),
    ("eks", "CreateNodegroup", {"clusterName": "c", "nodegroupName": "n", "launchTemplate": {"id": "lt-1", "version": "1"}}, None, ["? x?"]),
    ("eks", "CreateNodegroup", {"clusterName": "c", "nodegroupName": "n", "launchTemplate": {"name": "lt", "version": "1"}}, LT_P5, ["p5.48xlarge x?"]),
    ("eks", "UpdateNodegroupConfig", {"clusterName": "c", "nodegroupName": "n", "scalingConfig": {"maxSize": 9}}, None, ["? x9"]),
    ("eks", "UpdateNodegroupConfig", {"clusterName": "c", "nodegroupName": "n", "labels": {}}, None, None),
    ("eks", "UpdateNodegroupVersion", {"clusterName": "c", "nodegroupName": "n", "launchTemplate": {"id": "lt-1", "version": "4"}}, LT_P5, ["p5.48xlarge x?"]),
    ("eks", "UpdateNodegroupVersion", {"clusterName": "c", "nodegroupName": "n", "version": "1.31"}, None, None),
    ("emr", "AddInstanceFleet", {"ClusterId": "j", "InstanceFleet": {"InstanceFleetType": "TASK", "TargetSpotCapacity": 8, "TargetOnDemandCapacity": 2,
        "InstanceTypeConfigs": [{"InstanceType": "p4d.24xlarge", "WeightedCapacity": 4}]}}, None, ["p4d.24xlarge x3"]),
    ("emr", "AddInstanceGroups", {"JobFlowId": "j", "InstanceGroups": [{"InstanceRole": "TASK", "InstanceType": "p3.2xlarge", "InstanceCount": 1,
        "AutoScalingPolicy": {"Constraints": {"MinCapacity": 1, "MaxCapacity": 30}}}]}, None, ["p3.2xlarge x30"]),
    ("emr", "RunJobFlow", {"Name": "x", "Instances": {"MasterInstanceType": "m5.xlarge", "SlaveInstanceType": "p3.2xlarge", "InstanceCount": 5}},
        None, ["m5.xlarge x1", "p3.2xlarge x5"]),
    ("sagemaker-runtime", "InvokeEndpoint", {"EndpointName": "e", "Body": b"secret"}, None, ["model:? t?"]),
    ("sagemaker-runtime", "InvokeEndpointAsync", {"EndpointName": "e", "InputLocation": "s3://x"}, None, ["model:? t?"]),
    ("sagemaker-runtime", "InvokeEndpointWithResponseStream", {"EndpointName": "e", "Body": b"x"}, None, ["model:? t?"]),
    ("sagemaker", "CreateApp", {"DomainId": "d", "AppType": "KernelGateway", "AppName": "a", "ResourceSpec": {"InstanceType": "ml.p4d.24xlarge"}}, None, ["ml.p4d.24xlarge x1"]),
    ("sagemaker", "CreateCluster", {"ClusterName": "c", "InstanceGroups": [{"InstanceGroupName": "g", "InstanceType": "ml.p5.48xlarge", "InstanceCount": 16}]}, None, ["ml.p5.48xlarge x16"]),
    ("sagemaker", "CreateEndpoint", {"EndpointName": "e", "EndpointConfigName": "c"}, None, ["? x?"]),
    ("sagemaker", "CreateEndpoint", {"EndpointName": "e", "EndpointConfigName": "c"}, {"DescribeEndpointConfig": {"ProductionVariants": [
        {"VariantName": "v", "InstanceType": "ml.p5.48xlarge", "InitialInstanceCount": 2}]}}, ["ml.p5.48xlarge x2"]),
    ("sagemaker", "CreateEndpointConfig", {"EndpointConfigName": "c", "ProductionVariants": [{"VariantName": "v", "InstanceType": "ml.g5.xlarge",
        "InitialInstanceCount": 1, "ManagedInstanceScaling": {"MaxInstanceCount": 12}}]}, None, ["ml.g5.xlarge x12"]),
    ("sagemaker", "CreateHyperParameterTuningJob", {"HyperParameterTuningJobName": "h", "HyperParameterTuningJobConfig": {"ResourceLimits": {"MaxParallelTrainingJobs": 5}},
        "TrainingJobDefinition": {"ResourceConfig": ML}}, None, ["ml.p4d.24xlarge x10"]),
    ("sagemaker", "CreateModel", {"ModelName": "m", "PrimaryContainer": {"Image": "x", "ModelDataUrl": "s3://b/w.tar.gz"}}, None, ["model:? t?"]),
    ("sagemaker", "CreateNotebookInstance", {"NotebookInstanceName": "n", "InstanceType": "ml.p3.2xlarge"}, None, ["ml.p3.2xlarge x1"]),
    ("sagemaker", "CreateProcessingJob", {"ProcessingJobName": "p", "ProcessingResources": {"ClusterConfig": ML}}, None, ["ml.p4d.24xlarge x2"]),
    ("sagemaker", "CreateSpace", {"DomainId": "d", "SpaceName": "s", "SpaceSettings": {"CodeEditorAppSettings": {"DefaultResourceSpec": {"InstanceType": "ml.g5.xlarge"}}}}, None, ["ml.g5.xlarge x?"]),
    ("sagemaker", "CreateTrainingJob", {"TrainingJobName": "t", "ResourceConfig": {"InstanceGroups": [
        {"InstanceGroupName": "a", "InstanceType": "ml.m5.large", "InstanceCount": 1}, {"InstanceGroupName": "b", "InstanceType": "ml.p5.48xlarge", "InstanceCount": 8}]}},
        None, ["ml.m5.large x1", "ml.p5.48xlarge x8"]),
    ("sagemaker", "CreateTrainingPlan", {"TrainingPlanName": "p", "TrainingPlanOfferingId": "tpo-1"}, None, ["? x?"]),
    ("sagemaker", "CreateTransformJob", {"TransformJobName": "t", "ModelName": "m", "TransformResources": ML}, None, ["ml.p4d.24xlarge x2"]),
    ("sagemaker", "StartNotebookInstance", {"NotebookInstanceName": "n"}, {"DescribeNotebookInstance": {"InstanceType": "ml.p3.2xlarge"}}, ["ml.p3.2xlarge x1"]),
    ("sagemaker", "UpdateCluster", {"ClusterName": "c", "InstanceGroups": [{"InstanceGroupName": "g", "InstanceType": "ml.p5.48xlarge", "InstanceCount": 32}]}, None, ["ml.p5.48xlarge x32"]),
    ("sagemaker", "UpdateEndpoint", {"EndpointName": "e", "EndpointConfigName": "c"}, None, ["? x?"]),
    ("sagemaker", "UpdateNotebookInstance", {"NotebookInstanceName": "n", "InstanceType": "ml.p4d.24xlarge"}, None, ["ml.p4d.24xlarge x1"]),
    ("sagemaker", "UpdateNotebookInstance", {"NotebookInstanceName": "n", "RoleArn": "arn:aws:iam::111122223333:role/x"}, None, None),
]  # fmt: skip

MUST = """
autoscaling CreateAutoScalingGroup CreateLaunchConfiguration SetDesiredCapacity StartInstanceRefresh UpdateAutoScalingGroup
batch CreateComputeEnvironment RegisterJobDefinition SubmitJob UpdateComputeEnvironment
bedrock-agent-runtime InvokeAgent InvokeInlineAgent RetrieveAndGenerate RetrieveAndGenerateStream
bedrock-runtime Converse ConverseStream InvokeModel InvokeModelWithBidirectionalStream InvokeModelWithResponseStream StartAsyncInvoke
bedrock CreateCustomModelDeployment CreateFoundationModelAgreement CreateInferenceProfile CreateMarketplaceModelEndpoint
bedrock CreateModelCopyJob CreateModelCustomizationJob CreateModelImportJob CreateModelInvocationJob CreateProvisionedModelThroughput
cloudcontrol CreateResource
cloudformation CreateChangeSet CreateStack CreateStackInstances CreateStackSet ExecuteChangeSet UpdateStack
ec2 AllocateHosts CreateCapacityReservation CreateCapacityReservationFleet CreateFleet CreateLaunchTemplate CreateLaunchTemplateVersion
ec2 ModifyFleet ModifyInstanceAttribute ModifySpotFleetRequest PurchaseCapacityBlock RequestSpotFleet RequestSpotInstances RunInstances
ec2 StartInstances
ecs CreateCapacityProvider RegisterTaskDefinition RunTask
eks CreateNodegroup UpdateNodegroupConfig UpdateNodegroupVersion
emr AddInstanceFleet AddInstanceGroups RunJobFlow
sagemaker-runtime InvokeEndpoint InvokeEndpointAsync InvokeEndpointWithResponseStream
sagemaker CreateApp CreateCluster CreateEndpoint CreateEndpointConfig CreateHyperParameterTuningJob CreateModel CreateNotebookInstance
sagemaker CreateProcessingJob CreateSpace CreateTrainingJob CreateTrainingPlan CreateTransformJob StartNotebookInstance UpdateCluster
sagemaker UpdateEndpoint UpdateNotebookInstance
"""
MUST_OPERATIONS = {(row.split()[0], name) for row in MUST.strip().splitlines() for name in row.split()[1:]}


@pytest.mark.parametrize(("service", "operation", "parameters", "answers", "expected"), CASES)
def test_what_a_call_provisions_is_read(service, operation, parameters, answers, expected):
    """Types, counts in the worst case, models and token limits come out as the call means them; None: outside."""
    resolver = Answers(answers) if answers is not None else None
    assert items(service, operation, parameters, resolver=resolver) == expected


def test_every_operation_that_has_to_be_judged_has_a_case():
    """The list is complete, and each of it is known to the adapter."""
    assert len(MUST_OPERATIONS) == 77
    assert {(case[0], case[1]) for case in CASES} >= MUST_OPERATIONS
    assert all(standing(*each) is Standing.SURFACE for each in MUST_OPERATIONS)


STRANGE = [None, 5, "x", b"x", [], [1], {"a": 1}, [[{}]], True, 1e400, "\ud800", {"InstanceType": {}}, [None], object()]


@pytest.mark.parametrize(("service", "operation"), sorted(MUST_OPERATIONS))
def test_wrong_types_never_raise_and_never_vanish(service, operation):
    """A parameter of the wrong type gives an item that is unknown, or leaves the call outside; nothing raises."""
    cases = [case[2] for case in CASES if case[:2] == (service, operation)]
    for parameters in cases:
        for key in parameters:
            for value in STRANGE:
                items(service, operation, {**parameters, key: value})
    for value in STRANGE:
        if not isinstance(value, dict):
            assert items(service, operation, value) == ["??"]
