"""Which plane and which cloud a host belongs to. Endpoints as published for the Azure clouds (azure-core's
`AzureClouds`, the service's own documentation); an unlisted host is judged by the shape of its path, so that private
endpoints, gateways and test servers are no way round."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

CHINA: Final = "AzureChinaCloud"
GOVERNMENT: Final = "AzureUSGovernment"
PUBLIC: Final = None
"""Left open for the public cloud: it is derived from the region."""

COUNTRIES: Final = {CHINA: "CN", GOVERNMENT: "US", "AzureGermanCloud": "DE"}
"""The country that a sovereign cloud lies in, whole (Microsoft's pages on Azure operated by 21Vianet, Azure Government
and the former Azure Germany)."""

_ARM: Final[dict[str, str | None]] = {
    "management.azure.com": PUBLIC,
    "management.chinacloudapi.cn": CHINA,
    "management.usgovcloudapi.net": GOVERNMENT,
    "management.microsoftazure.de": "AzureGermanCloud",
    "management.core.windows.net": PUBLIC,
    "management.core.chinacloudapi.cn": CHINA,
    "management.core.usgovcloudapi.net": GOVERNMENT,
}
_IDENTITY_SUFFIXES: Final = (
    "login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net",
    "login.partner.microsoftonline.cn", "login.chinacloudapi.cn", "login.microsoftonline.us",
    "login-us.microsoftonline.com", "login.microsoftonline.de", "graph.microsoft.com", "graph.windows.net",
)  # fmt: skip
_IDENTITY_EXACT: Final = frozenset({"169.254.169.254", "169.254.170.2"})
_MODELS: Final = (
    "openai.azure.com", "openai.azure.us", "openai.azure.cn", "services.ai.azure.com", "services.ai.azure.us",
    "cognitiveservices.azure.com", "cognitiveservices.azure.us", "cognitiveservices.azure.cn",
    "api.cognitive.microsoft.com", "api.cognitive.microsoft.us", "api.cognitive.azure.cn",
    "inference.ai.azure.com", "models.ai.azure.com", "inference.ml.azure.com", "inference.ml.azure.us",
    "inference.ml.azure.cn", "models.inference.ai.azure.com", "models.github.ai", "api.openai.com", "api.anthropic.com",
    "realtimeapi-preview.ai.azure.com",
)  # fmt: skip
_BY_THEIR_NAMES: Final = {
    "models.inference.ai.azure.com": "azure", "models.github.ai": "azure", "api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
}  # fmt: skip
"""Of these, hosts where a model goes by its own name, since nobody deploys there; and whose they are."""
_ENDPOINTS: Final = (
    ".models.ai.azure.com", ".inference.ml.azure.com", ".inference.ml.azure.us", ".inference.ml.azure.cn",
)  # fmt: skip
_LEARNING: Final = (
    "api.azureml.ms", "api.ml.azure.us", "api.ml.azure.cn", "experiments.azureml.net", "modelmanagement.azureml.net",
)  # fmt: skip
_BATCH: Final = (
    ".batch.azure.com", ".batch.chinacloudapi.cn", ".batch.usgovcloudapi.net", ".batch.core.windows.net",
)  # fmt: skip
_DATABRICKS: Final = (".azuredatabricks.net", ".databricks.azure.cn", ".databricks.azure.us")
_DEVCENTER: Final = (".devcenter.azure.com",)
_SERVICES: Final = (
    ".search.windows.net", ".search.azure.cn", ".search.azure.us", ".kusto.windows.net", ".kusto.chinacloudapi.cn",
    ".kusto.usgovcloudapi.net", ".kusto.azuresynapse.net", ".kusto.fabric.microsoft.com", ".dev.azuresynapse.net",
    ".dev.azuresynapse.azure.cn", ".dev.azuresynapse.usgovcloudapi.net", ".cognitive.microsofttranslator.com",
)  # fmt: skip
"""Services that are about something else, but call models or machines where a definition or a query says so."""
_OTHER: Final = (
    ".core.windows.net", ".core.chinacloudapi.cn", ".core.usgovcloudapi.net", ".storage.azure.net",
    ".vault.azure.net", ".vault.azure.cn", ".vault.usgovcloudapi.net", ".managedhsm.azure.net", ".azurecr.io",
    ".azurecr.cn", ".azurecr.us", ".servicebus.windows.net", ".servicebus.chinacloudapi.cn", ".documents.azure.com",
    ".documents.azure.cn", ".azconfig.io", ".azconfig.azure.cn",
    ".ingest.monitor.azure.com", ".applicationinsights.azure.com", ".loganalytics.io", ".loganalytics.azure.com",
    ".monitor.azure.com", ".eventgrid.azure.net", ".redis.cache.windows.net", ".webpubsub.azure.com",
    ".service.signalr.net", ".communication.azure.com", ".azure-devices.net", ".digitaltwins.azure.net",
    ".purview.azure.com", ".confidential-ledger.azure.com", ".attest.azure.net",
    ".atlas.microsoft.com", ".vault-int.azure-int.net",
    ".blob.storage.azure.net", ".table.cosmos.azure.com",
)  # fmt: skip


_OTHER_DOMAINS: Final = (
    "dev.azure.com", "visualstudio.com", "powerbi.com", "analysis.windows.net", "fabric.microsoft.com", "dynamics.com",
    "sharepoint.com", "botframework.com", "azureiotcentral.com", "azure-devices-provisioning.net",
    "bing.microsoft.com", "speech.microsoft.com", "azurehealthcareapis.com", "grafana.azure.com",
    "visualstudio.us", "services.visualstudio.com", "opinsights.azure.com", "azure-automation.net",
)  # fmt: skip


def _under(host: str, domains: tuple[str, ...]) -> bool:
    return any(host == domain or host.endswith("." + domain) for domain in domains)


@lru_cache(maxsize=1024)
def is_identity(host: str) -> bool:
    """Hosts that hand out tokens or say who somebody is: never judged, or no call could authenticate."""
    return host in _IDENTITY_EXACT or _under(host, _IDENTITY_SUFFIXES)


@lru_cache(maxsize=1024)
def vendor(host: str) -> str | None:
    """Whose catalogue of models *host* serves by their own names; None where a name is a deployment's."""
    return next((name for known, name in _BY_THEIR_NAMES.items() if _under(host, (known,))), None)


@lru_cache(maxsize=1024)
def is_endpoint(host: str) -> bool:
    """Whether the host is that of one deployed model: whatever is posted there runs it."""
    return host.endswith(_ENDPOINTS)


def cloud_of(host: str) -> str | None:
    if host.endswith((".cn", ".chinacloudapi.cn")):
        return CHINA
    if host.endswith((".us", ".usgovcloudapi.net")):
        return GOVERNMENT
    return PUBLIC


@lru_cache(maxsize=1024)
def _named(host: str) -> tuple[str, str | None] | None:
    if host in _ARM:
        return "arm", _ARM[host]
    if host.endswith((".management.azure.com", ".management.chinacloudapi.cn", ".management.usgovcloudapi.net")):
        return "arm", cloud_of(host)
    if host.endswith(_BATCH):
        return "batch", cloud_of(host)
    if host.endswith(_SERVICES):
        return "services", cloud_of(host)
    if is_identity(host) or host.endswith(_OTHER) or _under(host, _OTHER_DOMAINS):
        return "other", None
    if _under(host, _MODELS):
        return "models", cloud_of(host)
    if _under(host, _LEARNING):
        return "learning", cloud_of(host)
    if host.endswith(_DATABRICKS):
        return "databricks", cloud_of(host)
    if host.endswith(_DEVCENTER):
        return "devcenter", cloud_of(host)
    return None


_PASSING_ON: Final = (
    "fabric.microsoft.com", "powerbi.com", "analysis.windows.net", "servicebus.windows.net",
    "servicebus.chinacloudapi.cn", "servicebus.usgovcloudapi.net",
)  # fmt: skip
"""Services that pass calls on, below paths of their own: Fabric to models, a relay to whatever listens behind it."""
_APPS: Final = (".azurewebsites.net", ".azurecontainerapps.io", ".azurestaticapps.net", ".azurefd.net")
"""Hosts of somebody's own program: a path that only ends like a model's is that program's."""
_MODEL_TAILS: Final = frozenset({"completions", "embeddings", "responses"})
_MODEL_ENDS: Final = frozenset(
    [(first, last) for first, words in (
        ("images", "generations edits variations"), ("audio", "speech transcriptions translations"),
        ("fine_tuning", "jobs"), ("realtime", "sessions client_secrets calls"), ("threads", "runs"),
        ("v1", "messages moderations batches assistants realtime rerank chat embed ocr"),
        ("v2", "rerank chat embed"),
    ) for last in words.split()]
)  # fmt: skip
"""How paths of the OpenAI, Anthropic, Cohere and Mistral APIs end, in two words that together are hardly another
service's."""
_MODEL_VERBS: Final = frozenset(
    """generatecontent streamgeneratecontent embedcontent batchembedcontents rawpredict streamrawpredict
    batchgeneratecontent""".split()  # noqa: SIM905
)
"""What follows a colon at the end of a path of Google's models."""
_CONVERSES: Final = frozenset({"invoke", "converse", "converse-stream", "invoke-with-response-stream"})


def _ends_like_a_models(path: tuple[str, ...]) -> bool:
    last = path[-1]
    if last in _MODEL_TAILS or path[-2:] in _MODEL_ENDS or (":" in last and last.rpartition(":")[2] in _MODEL_VERBS):
        return True
    return (last == "runs" and path[-3:-2] in (("threads",), ("evals",))) or (
        last in _CONVERSES and path[-3:-2] == ("model",)
    )


def classify(host: str, path: tuple[str, ...]) -> tuple[str, str | None]:
    """(plane, cloud) of *host*; of a host that is not listed, by its *path* (lower-case segments)."""
    named = _named(host)
    if named is not None:
        if named[0] != "other" or not path or not _under(host, _PASSING_ON):
            return named
        if "subscriptions" in path and "providers" in path[:-1]:
            return "arm", None
        return ("models", None) if _ends_like_a_models(path) else named
    if not path:
        return "other", None
    cloud = cloud_of(host) if host.endswith((".chinacloudapi.cn", ".azure.cn", ".azure.us")) else None
    if path[0] in ("subscriptions", "providers") or "providers" in path[:-1] or "resourcegroups" in path:
        return "arm", cloud
    if path[0] == "openai" or "deployments" in path or "openai" in path:
        return "models", cloud
    if _ends_like_a_models(path) and not host.endswith(_APPS):
        return "models", cloud
    if path[0] in ("pools", "jobs", "jobschedules"):
        return "batch", cloud
    if path[-1] in ("batch", "$batch") and path[:-1] in ((), ("api",)):
        return "arm", cloud
    return "unlisted", None


def region_in(host: str) -> str | None:
    """A region that the host name itself carries (`acct.westeurope.batch.azure.com`), in lower case."""
    for suffix in _BATCH:
        if host.endswith(suffix):
            parts = host.removesuffix(suffix).split(".")
            return parts[-1] if len(parts) > 1 else None
    for suffix in (
        ".api.cognitive.microsoft.com", ".inference.ai.azure.com", ".models.ai.azure.com", ".inference.ml.azure.com",
        ".inference.ml.azure.cn", ".inference.ml.azure.us", ".api.azureml.ms", ".api.cognitive.azure.cn",
    ):  # fmt: skip
        if host.endswith(suffix):
            parts = host.removesuffix(suffix).split(".")
            if suffix in (".api.cognitive.microsoft.com", ".api.cognitive.azure.cn", ".api.azureml.ms"):
                return parts[-1]
            return parts[-1] if len(parts) > 1 else None
    return None
