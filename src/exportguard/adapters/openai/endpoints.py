"""Whose endpoint a base URL is, and what a path of the OpenAI API does."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote, urlsplit

from exportguard.vocabulary.fact import Maybe, Unknown
from exportguard.vocabulary.request import Action

_AZURE: Final = (
    ".openai.azure.com", ".openai.azure.us", ".openai.azure.cn", ".services.ai.azure.com", ".services.ai.azure.us",
    ".cognitiveservices.azure.com", ".cognitiveservices.azure.us", ".cognitiveservices.azure.cn",
    ".api.cognitive.microsoft.com", ".api.cognitive.microsoft.us", ".api.cognitive.azure.cn",
    ".inference.ai.azure.com", ".models.ai.azure.com", ".inference.ml.azure.com", ".azure-api.net",
)  # fmt: skip
_BEDROCK: Final = re.compile(
    r"^(?:[a-z0-9-]+\.)?bedrock(?:-runtime|-mantle)?(?:-fips)?\.(?P<region>[a-z0-9-]+)\."
    r"(?:amazonaws\.com(?:\.cn)?|api\.aws|api\.amazonwebservices\.com\.cn)$"
)
_OWN_NAMES: Final = (".groq.com", ".googleapis.com", ".cloudflare.com")
"""Vendors whose paths have the shape of Azure's, and whose names are the models' own."""
_PRIVATE: Final = re.compile(r"^(localhost|[0-9.]+|\[?[0-9a-f:]+\]?|host\.docker\.internal)$")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`region` is what the host itself says; `names_models` is False where a name is a deployment's."""

    host: str
    provider: Maybe[str]
    region: Maybe[str]
    cloud: str | None = None
    names_models: bool = True


@lru_cache(maxsize=1024)
def endpoint_of(base_url: str, azure: bool) -> Endpoint:
    """*azure*: the client or the document says that it talks to Azure, whatever the host looks like."""
    try:
        parts = urlsplit(base_url if "://" in base_url else f"https://{base_url}")
        host = (parts.hostname or "").rstrip(".").lower()
        path = unquote(parts.path).lower()
    except ValueError:
        host, path = "", ""
    bedrock = _BEDROCK.match(host)
    if bedrock is not None and not azure:
        return Endpoint(host, "aws", bedrock["region"])
    if host == "api.openai.com" or host.endswith(".api.openai.com"):
        return Endpoint(host, "openai", Unknown("OpenAI does not say where a call is processed"))
    if host == "models.inference.ai.azure.com" and not azure:
        return Endpoint(host, "azure", Unknown("a catalogue of models does not say where a call is processed"))
    if azure or host.endswith(_AZURE) or "/openai/deployments" in path or _gateway(host, path):
        return Endpoint(host, "azure", _region(host), _cloud(host), names_models=False)
    why = Unknown(f"`{host}` is another vendor's endpoint, or a private one"[:2000])
    return Endpoint(host, why, why)


def _gateway(host: str, path: str) -> bool:
    """An Azure path on a host that nobody has listed: a gateway, a private endpoint, a tunnel, a test server."""
    parts = [part for part in path.split("/") if part]
    if _PRIVATE.match(host) is not None and parts[:1] == ["openai"]:
        return True
    return not host.endswith(_OWN_NAMES) and any(pair == ("openai", "v1") for pair in itertools.pairwise(parts))


def _region(host: str) -> Maybe[str]:
    for suffix in (".api.cognitive.microsoft.com", ".api.cognitive.microsoft.us", ".api.cognitive.azure.cn"):
        if host.endswith(suffix):
            return host.removesuffix(suffix).rpartition(".")[2]
    for suffix in (".inference.ai.azure.com", ".models.ai.azure.com", ".inference.ml.azure.com"):
        if host.endswith(suffix) and "." in host.removesuffix(suffix):
            return host.removesuffix(suffix).rpartition(".")[2]
    return Unknown("the account's region is not in the call")


def _cloud(host: str) -> str | None:
    if host.endswith(".azure.cn"):
        return "AzureChinaCloud"
    return "AzureUSGovernment" if host.endswith((".azure.us", ".microsoft.us")) else None


_DROPPED: Final = frozenset({"openai", "v1", "api", "v1beta", "beta", "models"})
_DEPLOYED: Final = frozenset(
    {"completions", "chat/completions", "embeddings", "audio/transcriptions", "audio/translations", "audio/speech",
     "images/generations", "images/edits", "images/variations"}
)  # fmt: skip
"""Endpoints that Azure serves under `/deployments/{name}/`: there the name in the URL wins over the body's."""

_RUNS: Final = (
    ("chat/completions", Action.INVOKE), ("completions", Action.INVOKE), ("responses", Action.INVOKE),
    ("responses/compact", Action.INVOKE), ("responses/input_tokens", Action.INVOKE), ("embeddings", Action.INVOKE),
    ("moderations", Action.INVOKE), ("images/*", Action.INVOKE), ("audio/*", Action.INVOKE), ("edits", Action.INVOKE),
    ("videos", Action.INVOKE), ("videos/*", Action.INVOKE), ("videos/*/remix", Action.INVOKE),
    ("video/generations/jobs", Action.INVOKE), ("fine_tuning/jobs", Action.CUSTOMIZE),
    ("fine_tuning/jobs/*/resume", Action.CUSTOMIZE), ("fine_tuning/alpha/graders/*", Action.INVOKE),
    ("fine-tunes", Action.CUSTOMIZE), ("batches", Action.INVOKE), ("assistants", Action.PROVISION),
    ("threads/runs", Action.INVOKE), ("threads/*/runs", Action.INVOKE),
    ("threads/*/runs/*/submit_tool_outputs", Action.INVOKE), ("realtime", Action.INVOKE),
    ("realtime/sessions", Action.INVOKE), ("realtime/transcription_sessions", Action.INVOKE),
    ("realtime/client_secrets", Action.INVOKE), ("realtime/calls", Action.INVOKE),
    ("realtime/calls/*/accept", Action.INVOKE), ("realtime/translations", Action.INVOKE),
    ("realtime/translations/*", Action.INVOKE), ("live", Action.INVOKE), ("live/*", Action.INVOKE),
    ("evals/*/runs", Action.INVOKE), ("decisions", Action.INVOKE), ("agents", Action.PROVISION),
    ("messages", Action.INVOKE), ("rerank", Action.INVOKE), ("chatkit/sessions", Action.INVOKE),
    ("live/sessions/*/accept", Action.INVOKE), ("live/sessions/*/fork", Action.INVOKE),
    ("agents/sessions", Action.INVOKE), ("agents/sessions/*/events", Action.INVOKE),
    ("agents/automations", Action.PROVISION), ("agents/automations/*/invocations", Action.INVOKE),
    ("agents/automations/*/resume", Action.INVOKE),
)  # fmt: skip
_UPDATES: Final = (
    ("assistants", "*"), ("agents", "*"), ("agents", "automations", "*"), ("agents", "sessions", "*"), ("evals",),
    ("evals", "*"),
)  # fmt: skip
"""Definitions that are changed, or need no model: about one only where the call names it."""
_HARMLESS: Final = frozenset(
    """files uploads vector_stores containers organization organizations projects webhooks conversations skills
    connections datasets indexes usage dashboard""".split()  # noqa: SIM905
)
_TAILS: Final = frozenset({"completions", "embeddings", "responses"})
_ENDS: Final = frozenset({"cancel", "pause", "reject", "hangup", "refer", "validate", "archive"})


@dataclass(frozen=True, slots=True)
class Path:
    """`action` None: runs no model, if `listed`; else an endpoint that nobody has listed."""

    name: str
    action: Action | None
    listed: bool
    deployment: str | None
    deployed: bool
    only_named: bool = False
    """The call is about a model only where its body names one."""


@lru_cache(maxsize=1024)
def is_of_agent(url: str) -> bool:
    """Whether *url* leads to an agent of a project, whose model counts, whatever the body says."""
    parts = unquote(url).lower().split("/")
    return "protocols" in parts and ("agents" in parts or "applications" in parts)


def _fits(pattern: tuple[str, ...], segments: list[str]) -> bool:
    return len(pattern) == len(segments) and all(p in ("*", s) for p, s in zip(pattern, segments, strict=True))


_SHAPES: Final = tuple((tuple(pattern.split("/")), action) for pattern, action in _RUNS)


def _runs(segments: list[str]) -> Action | None:
    return next((action for pattern, action in _SHAPES if _fits(pattern, segments)), None)


def _below_prefix(segments: list[str]) -> tuple[str, Action] | None:
    """The endpoint that *segments* end with: what stands before it is a gateway's own, whatever it is called."""
    if len(segments) > 2 and segments[-3] == "threads" and segments[-1] == "messages":
        return None
    if segments[-1] in _ENDS:
        return None
    for start in range(1, len(segments)):
        action = _runs(segments[start:])
        if action is not None:
            return "/".join(segments[start:]), action
    return None


@lru_cache(maxsize=1024)
def path_of(path: str) -> Path:
    """What *path* does: relative or absolute, with or without prefix, deployment and query."""
    if "://" in path:
        path = urlsplit(path).path
    segments: list[str] = []
    for part in unquote(path.partition("?")[0].partition("#")[0]).replace("\\", "/").split("/"):
        # The HTTP client resolves these before it sends.
        if part == "..":
            del segments[-1:]
        elif part not in ("", "."):
            segments.append(part)
    deployment = None
    lowered = [part.lower() for part in segments]
    if "deployments" in lowered[:-1]:
        at = lowered.index("deployments")
        deployment, lowered = segments[at + 1], lowered[at + 2 :]
    elif lowered[:2] == ["api", "projects"]:
        lowered = lowered[3:]
    if ("projects" in lowered[:-1] or "protocols" in lowered) and "openai" in lowered[:-1]:
        lowered = lowered[lowered.index("openai") :]
    while lowered and lowered[0] in _DROPPED and (len(lowered) > 1 or lowered[0] != "models"):
        lowered = lowered[1:]
    name = "/".join(lowered)
    action = _runs(lowered)
    if action is not None:
        return Path(name, action, True, deployment, name in _DEPLOYED)
    if len(lowered) > 1 and lowered[-1] in _TAILS:
        # The prefix is a gateway's own, whatever it is called.
        tail = "chat/completions" if lowered[-2:] == ["chat", "completions"] else lowered[-1]
        return Path(tail, Action.INVOKE, True, deployment, deployment is not None)
    if any(_fits(shape, lowered) for shape in _UPDATES):
        return Path(name, Action.PROVISION, True, deployment, False, only_named=True)
    below = _below_prefix(lowered) if lowered else None
    if below is not None:
        return Path(below[0], below[1], True, deployment, deployment is not None)
    harmless = (
        not lowered
        or lowered[0] in _HARMLESS
        or lowered[0] == "models"
        or lowered[-1] in _ENDS
        or name == "threads"
        or (lowered[0] == "threads" and "runs" not in lowered)
    )
    return Path(name, None, harmless, deployment, deployment is not None)
