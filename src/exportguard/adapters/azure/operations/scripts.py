"""What the text of a script says it takes: sizes with accelerators by name, and commands that make, start or deploy.

Commands and their options: the references of Azure CLI, Azure PowerShell and the Azure SDKs for Python. Nothing is
run or followed: a command whose sizes are plain text and have no accelerator is left alone, any other one that takes
machines, models or templates is unknown.
"""

from __future__ import annotations

import base64
import itertools
import re
from functools import lru_cache
from itertools import islice
from typing import Final

from exportguard.adapters.azure.words import words
from exportguard.reference import instances_azure
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.item import Item

_MOST_TEXT: Final = 1 << 18
_MOST_FOUND: Final = 50

_SIZE: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:Standard|Basic)_N[A-Za-z]{1,3}\d[A-Za-z0-9_-]{0,60}|N[CDGMPV][A-Za-z]{0,2}\d{1,3}[a-z]{0,8}_[A-Za-z0-9_]{0,30}v\d)",
    re.IGNORECASE,
)
_PACKED: Final = re.compile(
    r"(?<![A-Za-z0-9+/=])(?:[A-Za-z0-9+/]{4}){4,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?(?![A-Za-z0-9+/=])"
)
"""Text in base64, as a script hides one."""
_JOINED: Final = re.compile(r"[\\`^][ \t]*\r?\n")
_STATEMENT: Final = re.compile(r"\r?\n|;|&&|\|\|?")

_GROUPS: Final = (
    r"vm|vmss|aks|ml|batch|capacity|cognitiveservices|hdinsight|synapse|kusto|databricks|aro|sf|deployment|group(?=\s+deployment)"
    r"|stack|ts|resource|rest|compute-fleet|quota|lab|compute-bulk-actions|standby-vm-pool|hybridaks|stack-hci-vm"
    r"|container|containerapp|image|managedapp|restore-point|backup|account|fleet|connectedk8s"
)
_CLI: Final = re.compile(
    rf"(?:\baz(?:\.cmd|\.exe)?|\bazure[.-]cli|\bwhich\s+az\))(?:\s+--?[a-z][\w-]*(?:[\s=]+[^\s-]\S*)?){{0,6}}?\s+(?P<group>{_GROUPS})\b(?P<rest>[^#]*)",
    re.IGNORECASE,
)
_TAKES: Final = re.compile(
    r"(?:^|\s)(?:create|update|start|restart|redeploy|reimage|resize|scale|add|invoke-action|deploy|execute|convert"
    r"|restore-disks|restore|submit|invoke|attach)(?=\s|$)",
    re.IGNORECASE,
)
_SIZED: Final = re.compile(
    r"(?:^|\s)--?(?:[a-z]+-)*(?:size|sku|instance-type|node-type|vm-skus?|worker-vm-size)s?(?:\s+|=)(?:name=)?(?P<size>[^\s]+)",
    re.IGNORECASE,
)
_ONLY_BY_SIZE: Final = words("vm vmss aks batch hdinsight kusto aro sf capacity lab image fleet connectedk8s")
"""Groups of commands that make nothing with accelerators unless a size says so (what they make without is small)."""
_ANEW: Final = re.compile(r"(?:^|\s)(?:start|restart|redeploy|reimage|scale|convert)(?=\s|$)", re.IGNORECASE)
"""What is there is taken again, or more of it: of which size is not said."""
_ENDS: Final = re.compile(
    r"^\s*(?:(?:[a-z-]+)\s+){0,4}?(?:list|show|get|delete|stop|deallocate|wait|cancel|what-if|validate|export"
    r"|get-credentials|list-sizes|run-command|extension|identity|disk|nic|secret|user|auto-shutdown|availability-set"
    r"|open-port|generalize|capture|boot-diagnostics|image|encryption|check|workspace|data|datastore|environment"
    r"|connection|model|code|credential|token|login|task|job-schedule|application|location|blueprint|lock|tag"
    r"|(?:online|batch)-endpoint\s+(?:create|update))\b",
    re.IGNORECASE,
)
_SET: Final = re.compile(r"--set\s.*(?:capacity|count|size|sku)[\w.]*\s*=", re.IGNORECASE)
_ONLY_TAGS: Final = re.compile(
    r"(?:\s+(?:--(?:ids|name|resource-group|resource-type|api-version)|-[gn])[\s=]+[^\s-][^\s]*)*"
    r"\s+--set(?:\s+[\"']?tags\.[^\s]+)+\s*",
    re.IGNORECASE,
)
_TO_NONE: Final = re.compile(r"\s(?:--(?:new-capacity|node-count)|-c)[\s=]+(\S+)")
_GPU: Final = re.compile(r"gpu|workload-profile-(?:type|name)", re.IGNORECASE)
_ACCOUNT: Final = re.compile(
    r"deployment\s+create|commitment-plan|--kind[\s=]+[\"']?(?:openai|aiservices|\$)", re.IGNORECASE
)

_SHELL: Final = re.compile(
    r"\b(?P<verb>New|Start|Restart|Update|Set|Add|Invoke|Resize|Restore|Deploy)-Az(?:ureRm|Rm|ure)?"
    r"(?P<noun>VM\b|VMConfig|Vmss\b|VmssConfig|AksCluster|AksNodePool|BatchPool|ML\w+|CognitiveServicesAccountDeployment"
    r"|CapacityReservation|HDInsightCluster\w*|Kusto\w*Cluster|SynapseSparkPool|Databricks\w+|\w*Deployment\b"
    r"|\w*DeploymentStack|Resource\b|ResourceAction|RestMethod|Fleet\w*|ComputeFleet|Quota\w*|Host\b|ManagedApplication"
    r"|CognitiveServicesAccount\b|RecoveryServicesBackupItem|RedHatOpenShift\w*)(?P<rest>.*)",
    re.IGNORECASE,
)
_GPUS: Final = re.compile(r"\s-(?:Request|Limits?)Gpu\w*", re.IGNORECASE)
_TAGGED: Final = re.compile(
    r"-(?:ResourceId|Id)\s+[^\s-][^\s]*\s+-Tags?\s+(?:@\{[^{}$()]*\}|\$\w+)(?:\s+-(?:Force|Confirm:\$false))*",
    re.IGNORECASE,
)
_SHELL_BY_SIZE: Final = words(
    "vm vmconfig vmss vmssconfig akscluster aksnodepool batchpool hdinsightcluster kustocluster host"
)
_SHELL_SIZED: Final = re.compile(
    r"(?:-(?:\w*(?:Size|SkuName|InstanceType)|Sku)\b[:\s]+|\b\w*(?:Vm|Instance)?(?:Size|SkuName)[\"']?\s*=\s*)"
    r"(?P<size>[^\s,;})]+)",
    re.IGNORECASE,
)
_HARMLESS_TYPE: Final = re.compile(
    r"Microsoft\.(?!Compute|ContainerService|MachineLearning|CognitiveServices|Batch|AzureFleet|Resources|HDInsight"
    r"|Synapse|Kusto|Databricks|Quota|Subscription|Capacity|App\b|ContainerInstance|DesktopVirtualization|DevTestLab)\w+",
    re.IGNORECASE,
)
_HOST: Final = re.compile(
    r"management\.(?:azure\.com|core\.windows\.net|chinacloudapi\.cn|usgovcloudapi\.net)|/subscriptions/", re.IGNORECASE
)
_WRITES: Final = re.compile(
    r"(?:-X|--request|--method|-m|-Method|set-method>|method\s*[=:])\s*[\"']?(?:PUT|POST|PATCH)\b"
    r"|\bcurl\b.*\s(?:-d|--data[\w-]*|--json|-T|--upload-file|-F|--form)\b|\bhttps?\s+(?:PUT|POST|PATCH)\b"
    r"|\b(?:requests|session|client|httpx|http|axios)\w*\.(?:put|post|patch)\b",
    re.IGNORECASE,
)
_SDK: Final = re.compile(
    r"\b(?:virtual_machines|virtual_machine_scale_sets|virtual_machine_scale_set_vms|managed_clusters|agent_pools"
    r"|capacity_reservations|dedicated_hosts|fleets|deployments|deployment_stacks|compute|pools?|machines)"
    r"\.(?:begin_)?(?:create|update|start|restart|redeploy|scale)\w*\("
    r"|\bml_client\.(?:\w+\.)?(?:begin_)?(?:create_or_update|resize|start|invoke)\(",
    re.IGNORECASE,
)
_ASKS: Final = re.compile(
    r"\b(?:completions|responses|embeddings)\.(?:create|parse|stream)\(|\bimages\.(?:generate|edit)\("
    r"|\b(?:messages|client)\.(?:create|stream|complete|embed)\([^)]*\bmodel\s*=",
    re.IGNORECASE,
)
"""How a program asks a model, with the SDKs of their vendors."""
_DEPLOYS: Final = re.compile(
    r"\b(?:terraform|tofu)\s+(?:\S+\s+){0,4}?apply\b|\bpulumi\s+(?:\S+\s+){0,4}?up\b|\bazd\s+(?:up|provision)\b",
    re.IGNORECASE,
)
"""Tools that deploy what is written elsewhere."""
_SET_TO: Final = re.compile(
    r"(?:^|[;\s])(?:alias\s+|export\s+|\$(?:global:|script:)?)?(?P<name>[A-Za-z_]\w*)\s?=\s?"
    r"(?P<value>\"[^\"$`\n]{1,200}\"|'[^'\n]{1,200}'|[^\s;\"'$`()]{1,100})",
    re.MULTILINE,
)
_QUOTES: Final = re.compile(r"[\"']\s*\+\s*[\"']|[\"'`^]")
_MODELS: Final = re.compile(
    r"\.openai\.azure\.(?:com|us|cn)|\.services\.ai\.azure\.|\.models\.ai\.azure\.|\.inference\.ml\.azure\."
    r"|api\.openai\.com|api\.anthropic\.com|/chat/completions",
    re.IGNORECASE,
)


def taken(script: str, where: str, names: bool = True) -> list[Item]:
    """The items of unknown kind that *script* names, or takes without saying which.

    *names*: a size that it names counts for itself; else, of a script that runs in a machine and may speak of it, only
    where a command takes it.
    """
    if len(script) > _MOST_TEXT:
        return [_item(f"`{where}` is longer than is read", where)]
    script = unpacked(script)
    found: dict[str, Item] = {}
    for size in dict.fromkeys(_SIZE.findall(script)) if names else ():
        if not _small(size):
            found.setdefault(size.lower(), _item(f"a script names `{size[:300]}`", where, size[:500]))
    sizes = list(dict.fromkeys(match["size"] for match in _SHELL_SIZED.finditer(script)))
    spelled = _sizes_are_small(sizes) if sizes else None
    values = {match["name"]: match["value"].strip("\"'") for match in islice(_SET_TO.finditer(script), 200)}
    for statement in _STATEMENT.split(_JOINED.sub(" ", script)):
        said = statement.strip()
        if not said or said.startswith(("#", "//", "REM ")) or len(found) >= _MOST_FOUND:
            continue
        if any(_takes(spelling, spelled) for spelling in _spellings(said, values)):
            found.setdefault(said.lower(), _item(f"a script takes what it does not spell out: `{said[:300]}`", where))
    return list(found.values())


def _spellings(said: str, values: dict[str, str]) -> list[str]:
    """*said* as it is written, and as a shell will read it: without quotes in words, with what names stand for."""
    found = [said]
    plain = _QUOTES.sub("", said)
    if plain != said:
        found.append(plain)
    first = plain.split(maxsplit=1)
    if values and ("$" in plain or (first and first[0] in values)):
        filled = re.sub(r"\$\{?(\w+)\}?", lambda match: values.get(match[1], match[0]), plain)
        if first and first[0] in values:
            filled = values[first[0]] + filled[len(first[0]) :]
        if filled != plain:
            found.append(filled)
    return found


def unpacked(script: str) -> str:
    """*script* with what it holds in base64 as lines after it."""
    hidden = []
    for packed in _PACKED.findall(script)[:100]:
        try:
            content = base64.b64decode(packed)
        except ValueError:
            continue
        for encoding in ("utf-8", "utf-16-le"):  # PowerShell's own encoded commands are of the second kind
            plain = content.decode(encoding, "replace")
            if (plain.isascii() and plain.isprintable()) or ("\n" in plain and plain.isascii()):
                hidden.append(plain)
    return "\n".join([script, *hidden])


def _item(why: str, where: str, size: str | None = None) -> Item:
    given = {} if size is None else {"instance_type": size}
    return Item(kind=Unknown(why[:2000]), where=where[:200], **given)  # type: ignore[arg-type]


@lru_cache(maxsize=1024)
def _small(size: str) -> bool:
    """Whether *size* is spelled out, and is one without accelerators."""
    plain = size.strip("\"'`,")
    return instances_azure.never(instances_azure.key(plain)) is not None


def _sizes_are_small(found: list[str]) -> bool:
    return all(_small(size) or size.strip("\"'").isdecimal() for size in found)


def _takes(said: str, spelled: bool | None) -> bool:
    """Whether the statement *said* takes something that it does not spell out, or that nobody can spell out. *spelled*:
    whether the whole script's sizes are such that have no accelerator (PowerShell and the SDKs put them together
    before); None where it has none."""
    if _DEPLOYS.search(said):
        return True
    for command in _CLI.finditer(said):
        if _command_takes(command["group"].lower(), command["rest"]):
            return True
    if _GPUS.search(said):
        return True
    for cmdlet in _SHELL.finditer(said):
        if _cmdlet_takes(cmdlet["verb"].lower(), cmdlet["noun"].lower(), cmdlet["rest"], spelled):
            return True
    if (_SDK.search(said) and not spelled) or _ASKS.search(said):
        return True
    if _MODELS.search(said) and (_WRITES.search(said) or "curl" in said.lower() or "chat/completions" in said.lower()):
        return True
    return bool(_HOST.search(said) and _WRITES.search(said) and not _HARMLESS_TYPE.search(said))


def _from_file(rest: str) -> bool:
    """Whether arguments are read from a file (`@name`), which is no option's own."""
    words_ = rest.split()
    return any(
        word.startswith("@") and not before.startswith("-") for before, word in itertools.pairwise(["", *words_])
    )


def _command_takes(group: str, rest: str) -> bool:
    words_ = rest.partition(" -")[0]
    if group == "rest":
        return bool(_WRITES.search(rest)) and not _HARMLESS_TYPE.search(rest)
    if not _TAKES.search(words_) or (group != "databricks" and _ENDS.match(words_) and not _ANEW.search(words_)):
        return False
    if group in ("container", "containerapp"):
        return _GPU.search(rest) is not None
    if group == "cognitiveservices":
        return _ACCOUNT.search(rest) is not None
    if group == "account":
        return "alias" in words_ or "subscription" in words_
    if group == "synapse":
        return "spark" in words_
    if group == "databricks":
        return "create" in words_
    if group == "resource":
        only_tags = words_.strip().lower() == "update" and _ONLY_TAGS.fullmatch(rest.strip()[len("update") :])
        return not (only_tags or _HARMLESS_TYPE.search(rest))
    if words_.split()[-1:] == ["scale"] and set(_TO_NONE.findall(rest)) == {"0"}:
        return False
    sizes = [m["size"] for m in _SIZED.finditer(rest)]
    if not sizes and (_from_file(rest) or (group == "batch" and "--json-file" in rest)):
        return group in _ONLY_BY_SIZE
    if group in ("hdinsight", "kusto", "batch") and not sizes and "pool" not in words_ and "create" not in words_:
        return False
    if group in _ONLY_BY_SIZE:
        unsaid = _SET.search(rest) is not None or ("resize" in words_ and not sizes)
        return unsaid or bool(_ANEW.search(words_)) or not _sizes_are_small(sizes)
    return not (sizes and group == "ml" and _sizes_are_small(sizes))


def _cmdlet_takes(verb: str, noun: str, rest: str, spelled: bool | None) -> bool:
    if noun == "cognitiveservicesaccount":
        return re.search(r"-(?:Type|Kind)\s+[\"']?(?:openai|aiservices|\$)", rest, re.IGNORECASE) is not None
    if noun == "resource" and verb == "set" and _TAGGED.fullmatch(rest.strip()):
        return False
    if noun in ("resource", "resourceaction"):
        return not _HARMLESS_TYPE.search(rest)
    if noun == "restmethod":
        return bool(_WRITES.search(rest)) and not _HARMLESS_TYPE.search(rest)
    if noun in _SHELL_BY_SIZE:
        if verb in ("start", "restart", "restore", "invoke"):
            return True
        return spelled is False or (spelled is None and re.search(r"\s@\w", rest) is not None)
    return True
