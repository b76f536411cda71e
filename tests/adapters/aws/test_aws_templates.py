"""Templates and documents inside calls: stacks, state machines, schedules, automations."""

# ruff: noqa: E501 - a case a line reads best

from __future__ import annotations

import json

import pytest

from adapters.aws.aws_shown import Answers, items
from exportguard.adapters.aws.facts import observe


def stack(body, parameters=None, **more):
    text = body if isinstance(body, str) else json.dumps(body)
    call = {"StackName": "s", "TemplateBody": text}
    if parameters is not None:
        call["Parameters"] = parameters
    return items("cloudformation", "CreateStack", call, **more)


YAML = """
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Kind: {Type: String, Default: t3.micro}
  Big: {Type: String, Default: "no"}
Conditions:
  IsBig: !Equals [!Ref Big, "yes"]
Mappings:
  Sizes: {prod: {type: p4d.24xlarge}}
Resources:
  A:
    Type: AWS::EC2::Instance
    Properties: {InstanceType: !Ref Kind}
  B:
    Type: AWS::EC2::Instance
    Properties:
      InstanceType: !If [IsBig, p5.48xlarge, t3.nano]
  C:
    Type: AWS::EC2::Instance
    Properties: {InstanceType: !FindInMap [Sizes, prod, type]}
  D:
    Type: AWS::EC2::Instance
    Properties: {InstanceType: !Sub "p5.${Size}"}
  E:
    Type: AWS::SageMaker::NotebookInstance
    Properties: {InstanceType: !Join ["", [ml., p3.2xlarge]], RoleArn: x}
"""


def test_a_yaml_template_is_read_with_its_functions():
    """Parameters, conditions, mappings, joins; what is not given stays unknown."""
    found = stack(YAML, [{"ParameterKey": "Kind", "ParameterValue": "p5.48xlarge"}])
    assert found == ["p5.48xlarge x1", "t3.nano x1", "p4d.24xlarge x1", "? x1", "ml.p3.2xlarge x1"]
    big = stack(YAML, [{"ParameterKey": "Big", "ParameterValue": "yes"}])
    assert big == ["t3.micro x1", "p5.48xlarge x1", "p4d.24xlarge x1", "? x1", "ml.p3.2xlarge x1"]


OPEN = {
    "A": {"Fn::Equals": [{"Ref": "AWS::AccountId"}, "1"]},
    "B": {"Fn::Equals": [{"Ref": "AWS::StackName"}, "1"]},
    "C": {"Fn::And": [{"Condition": "A"}, {"Fn::Not": [{"Condition": "B"}]}]},
}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ({"Fn::If": ["A", "p5.48xlarge", "t3.micro"]}, {"p5.48xlarge x1", "t3.micro x1"}),
        (
            {"Fn::If": ["A", {"Fn::If": ["B", "t3.micro", "p5.48xlarge"]}, "t3.micro"]},
            {"p5.48xlarge x1", "t3.micro x1"},
        ),
        ({"Fn::If": ["C", "p5.48xlarge", "t3.micro"]}, {"p5.48xlarge x1", "t3.micro x1"}),
        ({"Fn::If": ["Nowhere", "p5.48xlarge", "t3.micro"]}, {"? x1"}),
    ],
)
def test_every_way_in_which_open_conditions_may_turn_out_is_judged(kind, expected):
    """An accelerator behind one combination of two conditions is found, whichever it is."""
    body = {
        "Conditions": OPEN,
        "Resources": {"I": {"Type": "AWS::EC2::Instance", "Properties": {"InstanceType": kind}}},
    }
    assert set(stack(body) or ()) == expected


def test_more_open_conditions_than_can_be_tried_leave_choices_unknown():
    """Past the bound a choice between two types is unknown, never one of them by luck."""
    conditions = {f"C{n}": {"Fn::Equals": [{"Ref": "AWS::StackName"}, str(n)]} for n in range(12)}
    kind = {"Fn::If": ["C0", {"Fn::If": ["C1", "t3.micro", "p5.48xlarge"]}, "t3.micro"]}
    others = {
        f"B{n}": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::If": [f"C{n}", "a", "b"]}}}
        for n in range(12)
    }
    made = {"I": {"Type": "AWS::EC2::Instance", "Properties": {"InstanceType": kind}}}
    assert "? x1" in (stack({"Conditions": conditions, "Resources": {**made, **others}}) or [])


def test_conditions_that_choose_nothing_are_not_tried():
    """Dozens of conditions on whether a bucket is made leave the choice between two types as exact as it was."""
    conditions = {f"C{n}": {"Fn::Equals": [{"Ref": "AWS::StackName"}, str(n)]} for n in range(40)}
    buckets = {f"B{n}": {"Type": "AWS::S3::Bucket", "Condition": f"C{n}"} for n in range(40)}
    kind = {"Fn::If": ["C0", {"Fn::If": ["C1", "t3.micro", "p5.48xlarge"]}, "t3.nano"]}
    made = {"I": {"Type": "AWS::EC2::Instance", "Condition": "C7", "Properties": {"InstanceType": kind}}}
    found = stack({"Conditions": conditions, "Resources": {**made, **buckets}})
    assert set(found or ()) == {"t3.micro x1", "p5.48xlarge x1", "t3.nano x1"}


def test_a_resource_whose_condition_fails_is_not_made():
    """What the parameters rule out is nobody's request."""
    body = {
        "Parameters": {"Gpu": {"Type": "String", "Default": "no"}},
        "Conditions": {"Gpu": {"Fn::Equals": [{"Ref": "Gpu"}, "yes"]}},
        "Resources": {
            "I": {"Type": "AWS::EC2::Instance", "Condition": "Gpu", "Properties": {"InstanceType": "p5.48xlarge"}}
        },
    }
    assert stack(body) is None
    assert stack(body, [{"ParameterKey": "Gpu", "ParameterValue": "yes"}]) == ["p5.48xlarge x1"]


def test_a_stack_set_is_read_in_each_of_its_regions():
    """A mapping by region is looked up where the stacks are made, not where the call goes; where none is named it may be any."""
    body = json.dumps({
        "Mappings": {"M": {"us-east-1": {"T": "t3.micro"}, "eu-west-1": {"T": "p5.48xlarge"}}},
        "Resources": {"I": {"Type": "AWS::EC2::Instance", "Properties": {
            "InstanceType": {"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "T"]}}}},
    })  # fmt: skip
    made = {"StackSetName": "s", "TemplateBody": body}
    known = Answers({"DescribeStackSet": {"StackSet": {"TemplateBody": body}}})
    placed = {"StackSetName": "s", "Regions": ["us-east-1", "eu-west-1"]}
    assert items("cloudformation", "CreateStackSet", made) == ["t3.micro x1", "p5.48xlarge x1"]
    assert items("cloudformation", "CreateStackInstances", placed, resolver=known) == ["t3.micro x1", "p5.48xlarge x1"]


def test_loops_are_unrolled():
    """`Fn::ForEach` makes one resource for each value, each read with its own."""
    body = {
        "Transform": "AWS::LanguageExtensions",
        "Resources": {"Fn::ForEach::L": ["X", ["p5", "t3"], {"I${X}": {
            "Type": "AWS::EC2::Instance", "Properties": {"InstanceType": {"Fn::Sub": "${X}.48xlarge"}}}}]},
    }  # fmt: skip
    assert stack(body) == ["p5.48xlarge x1", "t3.48xlarge x1"]


def test_a_group_is_read_through_the_launch_template_of_its_own_stack():
    """A reference to another resource of the template is followed, so an everyday stack is no riddle."""
    body = {
        "Resources": {
            "LT": {
                "Type": "AWS::EC2::LaunchTemplate",
                "Properties": {"LaunchTemplateData": {"InstanceType": "m5.large"}},
            },
            "G": {
                "Type": "AWS::AutoScaling::AutoScalingGroup",
                "Properties": {
                    "MinSize": "1",
                    "MaxSize": "4",
                    "LaunchTemplate": {
                        "LaunchTemplateId": {"Ref": "LT"},
                        "Version": {"Fn::GetAtt": ["LT", "LatestVersionNumber"]},
                    },
                },
            },
        }
    }
    assert stack(body) == ["m5.large x?", "m5.large x4"]


@pytest.mark.parametrize(
    "body",
    [
        "not: [valid",
        "{",
        '{"Resources": 5}',
        '{"Resources": {}, "Resources": {}}',
        "[]",
        "a: &a [1]\nResources: *a",
        "{" * 5000,
        '{"Resources": {"X": 5}}',
        '{"Transform": "MyMacro", "Resources": {}}',
        '{"Resources": {"X": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://x"}}}}',
        '{"Resources": {"X": {"Type": "Company::Secret::Thing", "Properties": {}}}}',
    ],
)
def test_what_cannot_be_read_is_unknown(body):
    """A broken, macro-written, nested or foreign template is never taken for harmless."""
    assert stack(body) == ["??"]


def test_a_harmless_stack_is_outside():
    """Buckets, databases and functions provision no accelerator and no model."""
    body = {
        "Resources": {
            "B": {"Type": "AWS::S3::Bucket"},
            "D": {"Type": "AWS::RDS::DBInstance", "Properties": {"DBInstanceClass": "db.r5.large"}},
            "F": {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"ZipFile": "x"}}},
        }
    }
    assert stack(body) is None


def test_a_resource_type_of_a_newer_cloudformation_is_looked_through():
    """Keys shaped as types or models count in resource types without a call of their own."""
    body = {
        "Resources": {
            "X": {
                "Type": "AWS::New::Thing",
                "Properties": {"Spec": {"InstanceType": "p5.48xlarge", "InstanceCount": 3}},
            }
        }
    }
    assert stack(body) == ["p5.48xlarge x3"]


def test_stack_sets_name_every_region():
    """The regions of a stack set are locations, beside the one that is asked."""
    seen = observe(
        "cloudformation",
        "CreateStackInstances",
        {"StackSetName": "s", "Regions": ["cn-north-1", "me-central-1"]},
        region="us-east-1",
        resolver=Answers({"DescribeStackSet": {"StackSet": {"TemplateBody": YAML}}}),
    )
    assert [place.region for place in seen.locations] == ["us-east-1", "cn-north-1", "me-central-1"]


MACHINE = {
    "StartAt": "A",
    "States": {
        "A": {"Type": "Parallel", "Branches": [{"StartAt": "B", "States": {"B": {
            "Type": "Task", "Resource": "arn:aws:states:::aws-sdk:ec2:runInstances",
            "Parameters": {"InstanceType": "p5.48xlarge", "MaxCount": 2, "MinCount": 1}, "End": True}}}], "Next": "C"},
        "C": {"Type": "Task", "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync", "Parameters": {
            "ResourceConfig": {"InstanceType.$": "$.kind", "InstanceCount": 4}}, "Next": "D"},
        "D": {"Type": "Task", "Resource": "arn:aws:states:::bedrock:invokeModel", "Parameters": {
            "ModelId": "anthropic.claude-v2", "Body": {"max_tokens": 7}}, "Next": "E"},
        "E": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True},
    },
}  # fmt: skip


def test_the_tasks_of_a_state_machine_are_calls():
    """aws-sdk and optimized integrations are judged as the calls they make; input paths are unknown."""
    found = items("stepfunctions", "CreateStateMachine", {"name": "m", "definition": json.dumps(MACHINE)})
    assert found is not None
    assert sorted(found) == ["? x4", "model:anthropic.claude-v2 t7", "p5.48xlarge x2"]


def test_a_machine_of_functions_is_outside_and_an_unread_one_is_unknown():
    """Functions are judged where they run; an execution of a machine that nobody read is unknown."""
    machine = {"StartAt": "E", "States": {"E": MACHINE["States"]["E"]}}
    assert items("stepfunctions", "CreateStateMachine", {"definition": json.dumps(machine)}) is None
    assert items("stepfunctions", "StartExecution", {"stateMachineArn": "arn:x"}) == ["??"]
    answers = Answers({"DescribeStateMachine": {"definition": json.dumps(machine)}})
    assert items("stepfunctions", "StartExecution", {"stateMachineArn": "arn:x"}, resolver=answers) is None


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"Arn": "arn:aws:scheduler:::aws-sdk:ec2:runInstances",
          "Input": '{"InstanceType": "p5.48xlarge", "MaxCount": 3, "MinCount": 1}'}, ["p5.48xlarge x3"]),
        ({"Arn": "arn:aws:scheduler:::aws-sdk:ec2:startInstances", "Input": '{"InstanceIds": ["i-1"]}'}, ["? x1"]),
        ({"Arn": "arn:aws:scheduler:::aws-sdk:ec2:stopInstances", "Input": '{"InstanceIds": ["i-1"]}'}, None),
        ({"Arn": "arn:aws:scheduler:::aws-sdk:bedrockruntime:invokeModel", "Input": '{"ModelId": "anthropic.claude-v2"}'},
         ["model:anthropic.claude-v2 t?"]),
        ({"Arn": "arn:aws:lambda:us-east-1:1:function:f"}, None),
        ({"Arn": "arn:aws:ecs:us-east-1:1:cluster/c", "EcsParameters": {"TaskDefinitionArn": "t", "LaunchType": "FARGATE"}}, None),
        ({"Arn": "arn:aws:ecs:us-east-1:1:cluster/c", "EcsParameters": {"TaskDefinitionArn": "t"}}, ["acc:? x?"]),
        ({"Arn": 5}, ["??"]),
    ],
)  # fmt: skip
def test_a_schedule_is_what_it_will_call(target, expected):
    """Universal targets are calls; functions and queues are not."""
    assert items("scheduler", "CreateSchedule", {"Name": "s", "Target": target}) == expected


def test_an_automation_document_is_read_step_by_step():
    """Steps that call an API are judged as that call."""
    document = {
        "schemaVersion": "0.3",
        "mainSteps": [
            {"name": "a", "action": "aws:executeAwsApi", "inputs": {"Service": "ec2", "Api": "RunInstances", "InstanceType": "p5.48xlarge", "MaxCount": 2}},
            {"name": "b", "action": "aws:executeAwsApi", "inputs": {"Service": "ec2", "Api": "DescribeInstances"}},
        ],
    }  # fmt: skip
    found = items("ssm", "CreateDocument", {"Name": "d", "DocumentType": "Automation", "Content": json.dumps(document)})
    assert found == ["p5.48xlarge x2"]


def chosen(value, *, parameters=None, kept=(), **top):
    """The types of one instance in the update of a stack whose parameters keep their values."""
    body = {
        "Parameters": parameters or {},
        **top,
        "Resources": {"I": {"Type": "AWS::EC2::Instance", "Properties": {"InstanceType": value}}},
    }
    given = [{"ParameterKey": name, "UsePreviousValue": True} for name in kept]
    found = items(
        "cloudformation", "UpdateStack", {"StackName": "s", "TemplateBody": json.dumps(body), "Parameters": given}
    )
    return None if found is None else [one.partition(" ")[0] for one in found]


def test_what_nobody_knows_is_still_one_of_what_the_template_allows():
    """A kept parameter with allowed values, an entry of a mapping by account: each is judged. A part of a text is not."""
    kind = {"Kind": {"Type": "String", "AllowedValues": ["t3.micro", "p5.48xlarge"]}}
    assert chosen({"Ref": "Kind"}, parameters=kind, kept=["Kind"]) == ["t3.micro", "p5.48xlarge"]
    assert chosen({"Fn::Sub": "x${Kind}"}, parameters=kind, kept=["Kind"]) == ["?"]
    assert chosen({"Fn::Join": ["", ["x", {"Ref": "Kind"}]]}, parameters=kind, kept=["Kind"]) == ["?"]
    stored = {"Kind": {"Type": "AWS::SSM::Parameter::Value<String>", "AllowedValues": ["t3.micro"]}}
    assert chosen({"Ref": "Kind"}, parameters=stored, kept=["Kind"]) == ["?"]
    read = {"Kind": {"Type": "String", "AllowedValues": ["{{resolve:ssm:x}}", "t3.micro"]}}
    assert chosen({"Ref": "Kind"}, parameters=read, kept=["Kind"]) == ["?"]


def test_a_mapping_by_what_only_the_deployment_knows_gives_one_of_its_entries():
    """Of the level that is asked; what a macro puts in, or a map that nobody knows, gives anything."""
    sizes = {"M": {"1": {"T": "t3.micro", "U": "p5.48xlarge"}, "2": {"T": "m7g.large"}}}
    account = {"Ref": "AWS::AccountId"}
    assert chosen({"Fn::FindInMap": ["M", account, "T"]}, Mappings=sizes) == ["t3.micro", "m7g.large"]
    assert chosen({"Fn::FindInMap": ["M", "1", account]}, Mappings=sizes) == ["t3.micro", "p5.48xlarge"]
    assert chosen({"Fn::FindInMap": [account, "1", "T"]}, Mappings=sizes) == ["?"]
    put_in = {"M": {"1": {"T": "t3.micro"}, "Fn::Transform": {"Name": "AWS::Include"}}}
    assert chosen({"Fn::FindInMap": ["M", account, "T"]}, Mappings=put_in) == ["?"]
    kept = {"Which": {"Type": "String", "AllowedValues": ["2"]}}
    by_parameter = {"Fn::FindInMap": ["M", {"Ref": "Which"}, "T"]}
    assert chosen(by_parameter, parameters=kept, kept=["Which"], Mappings=sizes) == ["m7g.large"]
