"""Instances that come back: restored from a backup, recovered or migrated to EC2."""

from __future__ import annotations

from typing import Any

from exportguard.adapters.aws.call import Call, get
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.launch import launched
from exportguard.vocabulary import Action, Unknown


@operation("backup", "StartRestoreJob", action=Action.START)
def restore(call: Call) -> None:
    """An instance is restored as the type that its metadata names, else as the one that it was."""
    metadata, arn = call.get("Metadata"), call.get("RecoveryPointArn")
    named = get(metadata, "InstanceType")
    if named is not None:
        call.instance(named, 1, where="Metadata.InstanceType")
    elif call.get("ResourceType") == "EC2" or (isinstance(arn, str) and ":image/ami-" in arn):
        call.unresolved("the restored instance takes the type that it was backed up with", "RecoveryPointArn",
                        instances=1)  # fmt: skip
    call.not_applicable("what is restored is no instance")


@operation("drs", "StartRecovery", action=Action.START)
@operation("mgn", "StartTest", "StartCutover", action=Action.START)
def recover(call: Call) -> None:
    """Each source server is launched from a launch template of its own."""
    idents = [value for _, value in call.entries(call.get("sourceServerIDs"), "sourceServerIDs")]
    idents += [get(row, "sourceServerID") for _, row in call.rows(call.get("sourceServers"), "sourceServers")]
    for ident in idents:
        answer = call.ask(call.service, "GetLaunchConfiguration", sourceServerID=ident)
        template: Any = answer if isinstance(answer, Unknown) else get(answer, "ec2LaunchTemplateID")
        if isinstance(template, str):
            launched(call, {"LaunchTemplate": {"LaunchTemplateId": template}}, 1, f"source server {str(ident)[:40]}")
        else:
            why = answer.reason if isinstance(answer, Unknown) else "it has no launch template"
            call.unresolved(f"source server {str(ident)[:40]} not resolved: {why}", "sourceServers", instances=1)
    call.not_applicable("no source server is named")
