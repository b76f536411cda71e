"""CloudFormation's resource types, by the calls that make them, and what their properties are called there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from exportguard.adapters.aws.operations.template_text import substituted
from exportguard.vocabulary import Unknown

CALLS: dict[str, tuple[str, str]] = {
    "AWS::EC2::Instance": ("ec2", "RunInstances"),
    "AWS::EC2::LaunchTemplate": ("ec2", "CreateLaunchTemplate"),
    "AWS::EC2::EC2Fleet": ("ec2", "CreateFleet"),
    "AWS::EC2::SpotFleet": ("ec2", "RequestSpotFleet"),
    "AWS::EC2::Host": ("ec2", "AllocateHosts"),
    "AWS::EC2::CapacityReservation": ("ec2", "CreateCapacityReservation"),
    "AWS::EC2::CapacityReservationFleet": ("ec2", "CreateCapacityReservationFleet"),
    "AWS::AutoScaling::AutoScalingGroup": ("autoscaling", "CreateAutoScalingGroup"),
    "AWS::AutoScaling::LaunchConfiguration": ("autoscaling", "CreateLaunchConfiguration"),
    "AWS::EKS::Nodegroup": ("eks", "CreateNodegroup"),
    "AWS::EKS::Cluster": ("eks", "CreateCluster"),
    "AWS::Batch::ComputeEnvironment": ("batch", "CreateComputeEnvironment"),
    "AWS::Batch::JobDefinition": ("batch", "RegisterJobDefinition"),
    "AWS::ECS::TaskDefinition": ("ecs", "RegisterTaskDefinition"),
    "AWS::ECS::Service": ("ecs", "CreateService"),
    "AWS::ECS::TaskSet": ("ecs", "CreateTaskSet"),
    "AWS::ECS::CapacityProvider": ("ecs", "CreateCapacityProvider"),
    "AWS::EMR::Cluster": ("emr", "RunJobFlow"),
    "AWS::SageMaker::NotebookInstance": ("sagemaker", "CreateNotebookInstance"),
    "AWS::SageMaker::EndpointConfig": ("sagemaker", "CreateEndpointConfig"),
    "AWS::SageMaker::Endpoint": ("sagemaker", "CreateEndpoint"),
    "AWS::SageMaker::Model": ("sagemaker", "CreateModel"),
    "AWS::SageMaker::App": ("sagemaker", "CreateApp"),
    "AWS::SageMaker::Space": ("sagemaker", "CreateSpace"),
    "AWS::SageMaker::Domain": ("sagemaker", "CreateDomain"),
    "AWS::SageMaker::UserProfile": ("sagemaker", "CreateUserProfile"),
    "AWS::SageMaker::Cluster": ("sagemaker", "CreateCluster"),
    "AWS::SageMaker::ProcessingJob": ("sagemaker", "CreateProcessingJob"),
    "AWS::SageMaker::Pipeline": ("sagemaker", "CreatePipeline"),
    "AWS::Bedrock::ApplicationInferenceProfile": ("bedrock", "CreateInferenceProfile"),
    "AWS::Bedrock::Agent": ("bedrock-agent", "CreateAgent"),
    "AWS::Bedrock::KnowledgeBase": ("bedrock-agent", "CreateKnowledgeBase"),
    "AWS::Bedrock::IntelligentPromptRouter": ("bedrock", "CreatePromptRouter"),
    "AWS::StepFunctions::StateMachine": ("stepfunctions", "CreateStateMachine"),
    "AWS::Serverless::StateMachine": ("stepfunctions", "CreateStateMachine"),
    "AWS::Scheduler::Schedule": ("scheduler", "CreateSchedule"),
    "AWS::Events::Rule": ("events", "PutTargets"),
    "AWS::Pipes::Pipe": ("pipes", "CreatePipe"),
    "AWS::SSM::Document": ("ssm", "CreateDocument"),
    "AWS::SageMaker::InferenceComponent": ("sagemaker", "CreateInferenceComponent"),
    "AWS::SageMaker::ModelPackage": ("sagemaker", "CreateModelPackage"),
    "AWS::SageMaker::Project": ("sagemaker", "CreateProject"),
    "AWS::Bedrock::Flow": ("bedrock-agent", "CreateFlow"),
    "AWS::Bedrock::FlowVersion": ("bedrock-agent", "CreateFlowVersion"),
    "AWS::Bedrock::Prompt": ("bedrock-agent", "CreatePrompt"),
    "AWS::EKS::Addon": ("eks", "CreateAddon"),
    "AWS::ImageBuilder::Component": ("imagebuilder", "CreateComponent"),
    "AWS::ImageBuilder::Workflow": ("imagebuilder", "CreateWorkflow"),
    "AWS::ImageBuilder::ContainerRecipe": ("imagebuilder", "CreateContainerRecipe"),
    "AWS::SageMaker::NotebookInstanceLifecycleConfig": ("sagemaker", "CreateNotebookInstanceLifecycleConfig"),
    "AWS::SageMaker::StudioLifecycleConfig": ("sagemaker", "CreateStudioLifecycleConfig"),
    "AWS::Chatbot::CustomAction": ("chatbot", "CreateCustomAction"),
    "AWS::ElasticBeanstalk::Environment": ("elasticbeanstalk", "CreateEnvironment"),
    "AWS::ElasticBeanstalk::ConfigurationTemplate": ("elasticbeanstalk", "CreateConfigurationTemplate"),
    "AWS::DataPipeline::Pipeline": ("datapipeline", "PutPipelineDefinition"),
    "AWS::Deadline::Fleet": ("deadline", "CreateFleet"),
    "AWS::CodeBuild::Project": ("codebuild", "CreateProject"),
    "AWS::CodeBuild::Fleet": ("codebuild", "CreateFleet"),
    "AWS::WorkSpaces::Workspace": ("workspaces", "CreateWorkspaces"),
    "AWS::WorkSpaces::WorkspacesPool": ("workspaces", "CreateWorkspacesPool"),
    "AWS::WorkspacesInstances::WorkspaceInstance": ("workspaces-instances", "CreateWorkspaceInstance"),
    "AWS::GameLift::Fleet": ("gamelift", "CreateFleet"),
    "AWS::GameLift::ContainerFleet": ("gamelift", "CreateContainerFleet"),
    "AWS::GameLift::GameServerGroup": ("gamelift", "CreateGameServerGroup"),
    "AWS::GameLiftStreams::StreamGroup": ("gameliftstreams", "CreateStreamGroup"),
    "AWS::AppStream::Fleet": ("appstream", "CreateFleet"),
    "AWS::AppStream::ImageBuilder": ("appstream", "CreateImageBuilder"),
    "AWS::AppSync::DataSource": ("appsync", "CreateDataSource"),
    "AWS::ApiGateway::Method": ("apigateway", "PutIntegration"),
    "AWS::ApiGatewayV2::Integration": ("apigatewayv2", "CreateIntegration"),
    "AWS::Events::ApiDestination": ("events", "CreateApiDestination"),
    "AWS::EMR::InstanceGroupConfig": ("emr", "AddInstanceGroups"),
    "AWS::EMR::InstanceFleetConfig": ("emr", "AddInstanceFleet"),
    "AWS::PCS::ComputeNodeGroup": ("pcs", "CreateComputeNodeGroup"),
    "AWS::ImageBuilder::InfrastructureConfiguration": ("imagebuilder", "CreateInfrastructureConfiguration"),
    "AWS::Lightsail::Instance": ("lightsail", "CreateInstances"),
    "AWS::Omics::Workflow": ("omics", "CreateWorkflow"),
    "AWS::Omics::WorkflowVersion": ("omics", "CreateWorkflowVersion"),
    "AWS::Omics::RunGroup": ("omics", "CreateRunGroup"),
    "AWS::Lambda::CapacityProvider": ("lambda", "CreateCapacityProvider"),
    "AWS::SSM::Association": ("ssm", "CreateAssociation"),
    "AWS::SSM::MaintenanceWindowTask": ("ssm", "RegisterTaskWithMaintenanceWindow"),
    "AWS::Config::RemediationConfiguration": ("config", "PutRemediationConfigurations"),
    "AWS::Config::ConformancePack": ("config", "PutConformancePack"),
    "AWS::Config::OrganizationConformancePack": ("config", "PutOrganizationConformancePack"),
    "AWS::QuickSight::ActionConnector": ("quicksight", "CreateActionConnector"),
    "AWS::BedrockAgentCore::GatewayTarget": ("bedrock-agentcore-control", "CreateGatewayTarget"),
    "AWS::MWAAServerless::Workflow": ("mwaa-serverless", "CreateWorkflow"),
    "AWS::IoTSiteWise::Task": ("iotsitewise", "CreateTask"),
    "AWS::EventsV2::Subscriber": ("eventbridgev2", "CreateSubscriber"),
    "AWS::Athena::NamedQuery": ("athena", "CreateNamedQuery"),
    "AWS::Athena::PreparedStatement": ("athena", "CreatePreparedStatement"),
    "AWS::AutoScalingPlans::ScalingPlan": ("autoscaling-plans", "CreateScalingPlan"),
    "AWS::CodeDeploy::DeploymentGroup": ("codedeploy", "CreateDeploymentGroup"),
    "AWS::ECS::DaemonTaskDefinition": ("ecs", "RegisterDaemonTaskDefinition"),
    "AWS::EMRContainers::JobTemplate": ("emr-containers", "CreateJobTemplate"),
    "AWS::RAM::ResourceShare": ("ram", "CreateResourceShare"),
    "AWS::Bedrock::ResourcePolicy": ("bedrock", "PutResourcePolicy"),
    "AWS::LicenseManager::Grant": ("license-manager", "CreateGrant"),
    "AWS::AppSync::Resolver": ("appsync", "CreateResolver"),
    "AWS::AppSync::FunctionConfiguration": ("appsync", "CreateFunction"),
    "AWS::IoT::TopicRule": ("iot", "CreateTopicRule"),
    "AWS::ImageBuilder::Image": ("imagebuilder", "CreateImage"),
    "AWS::ImageBuilder::ImagePipeline": ("imagebuilder", "CreateImagePipeline"),
    "AWS::CodePipeline::Pipeline": ("codepipeline", "CreatePipeline"),
    "AWS::CodeConnections::SyncConfiguration": ("codeconnections", "CreateSyncConfiguration"),
    "AWS::CodeStarConnections::SyncConfiguration": ("codestar-connections", "CreateSyncConfiguration"),
    "AWS::LaunchWizard::Deployment": ("launch-wizard", "CreateDeployment"),
    "AWS::DataZone::Environment": ("datazone", "CreateEnvironment"),
    "AWS::DataZone::EnvironmentProfile": ("datazone", "CreateEnvironmentProfile"),
    "AWS::DataZone::Project": ("datazone", "CreateProject"),
    "AWS::DataZone::ProjectProfile": ("datazone", "CreateProjectProfile"),
    "AWS::DataZone::EnvironmentBlueprintConfiguration": ("datazone", "PutEnvironmentBlueprintConfiguration"),
    "AWS::ARCRegionSwitch::Plan": ("arc-region-switch", "CreatePlan"),
    "AWS::Backup::RestoreTestingSelection": ("backup", "CreateRestoreTestingSelection"),
    "AWS::FIS::ExperimentTemplate": ("fis", "CreateExperimentTemplate"),
    "AWS::SSMQuickSetup::ConfigurationManager": ("ssm-quicksetup", "CreateConfigurationManager"),
    "AWS::SSMIncidents::ResponsePlan": ("ssm-incidents", "CreateResponsePlan"),
    "AWS::OSIS::Pipeline": ("osis", "CreatePipeline"),
    "AWS::ApplicationAutoScaling::ScalableTarget": ("application-autoscaling", "RegisterScalableTarget"),
    "AWS::ApiGateway::RestApi": ("apigateway", "ImportRestApi"),
    "AWS::Serverless::Api": ("apigateway", "ImportRestApi"),
    "AWS::ApiGatewayV2::Api": ("apigatewayv2", "ImportApi"),
    "AWS::Serverless::HttpApi": ("apigatewayv2", "ImportApi"),
    "AWS::AutoScaling::WarmPool": ("autoscaling", "PutWarmPool"),
    "AWS::AutoScaling::ScalingPolicy": ("autoscaling", "PutScalingPolicy"),
    "AWS::AutoScaling::ScheduledAction": ("autoscaling", "PutScheduledUpdateGroupAction"),
}
"""Resource types whose properties are those of a call, up to a letter's case. Any other type is looked through."""

PROVISIONED = ("AWS::ServiceCatalog::CloudFormationProvisionedProduct",)
"""Types that make whatever another document says, which the template does not hold."""
_ONE_OF = {
    "AWS::WorkSpaces::Workspace": "Workspaces",
    "AWS::EMR::InstanceGroupConfig": "InstanceGroups",
    "AWS::EMR::InstanceFleetConfig": "InstanceFleet",
    "AWS::Config::RemediationConfiguration": "RemediationConfigurations",
}
"""Types that are one row of the call's list (or its one structure)."""


def renamed(kind: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """Properties whose names differ from the call's by more than a letter's case."""
    changed = dict(properties)
    if kind == "AWS::EC2::Instance":
        changed["MaxCount"] = 1
        written = changed.get("Placement")
        placed = {key: changed.get(key) for key in ("AvailabilityZone", "HostId", "HostResourceGroupArn")}
        if written is None or isinstance(written, Mapping):
            changed["Placement"] = {**placed, **(written or {})}
    elif kind == "AWS::EC2::Host":
        changed.setdefault("Quantity", 1)
    elif kind == "AWS::EMR::Cluster":
        return changed
    elif kind.endswith("::StateMachine"):
        changed["Definition"] = definition(changed)
    elif kind in ("AWS::WorkSpaces::Workspace", "AWS::EMR::InstanceGroupConfig", "AWS::EMR::InstanceFleetConfig",
                  "AWS::Config::RemediationConfiguration"):  # fmt: skip
        return {_ONE_OF[kind]: changed if kind.endswith("FleetConfig") else [changed]}
    elif kind == "AWS::ApiGateway::Method":
        inner = changed.get("Integration")
        return inner if isinstance(inner, Mapping) else {}
    elif kind == "AWS::SSM::MaintenanceWindowTask":
        changed["TaskInvocationParameters"] = {
            str(key).removeprefix("MaintenanceWindow").removesuffix("Parameters"): entry
            for key, entry in (changed.get("TaskInvocationParameters") or {}).items()
        }
    elif kind == "AWS::AutoScaling::AutoScalingGroup" and "MaxSize" not in changed:
        changed["MaxSize"] = Unknown("the group's size is not given")
    return changed


def definition(properties: Mapping[str, Any]) -> Any:
    """A state machine's definition, written out or as a text, with its substitutions put in."""
    written = properties.get("Definition")
    text = properties.get("DefinitionString")
    if isinstance(written, Mapping):
        text = json.dumps(written, default=lambda unknown: "${unknown}")
    if not isinstance(text, str):
        return text if isinstance(text, Unknown) else Unknown("the definition is not in the template")
    return substituted(text, properties.get("DefinitionSubstitutions"))
