"""What a path of the model endpoints does: runs a model, trains one, makes an agent of one, or none of these.

Paths: the data-plane references of Azure OpenAI, Foundry Models, Foundry projects and agents, and of the ready-made
AI services that share their hosts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from exportguard.adapters.azure.words import words
from exportguard.vocabulary.request import Action

_READY_MADE: Final = words(
    """language text luis qnamaker speechtotext speech-to-text texttospeech customvoice avatar speaker
    speaker-recognition sts translator translate formrecognizer documentintelligence vision computervision customvision
    face contentsafety contentmoderator contentunderstanding personalizer metricsadvisor anomalydetector healthinsights
    immersivereader bing cognitiveservices speech video videoindexer retrieval keyvault-reference"""
)
_MAY_NAME: Final = {
    "contentunderstanding": words("completion embedding modeldeployments"), "translator": words("deploymentname"),
    "translate": words("deploymentname"),
}  # fmt: skip
"""Ready-made services that take a deployment of somebody's own, and the keys that name it."""
"""First parts of the paths of services that run no model of somebody's choice."""
_HARMLESS: Final = words(
    """files uploads vector_stores containers conversations connections indexes datasets usage skills organization
    webhooks traces credentials"""
)
_ENDS: Final = words(
    "cancel pause reject hangup refer validate archive complete parts stop disable end list delete delete_scope"
)
"""Last parts, and what follows a colon there, that end, hand on or only read something."""
_FETCHES: Final = words("credentials startpendingupload zip")
_INVOKES: Final = words(
    """completions chat embeddings responses compact input_tokens messages count_tokens generations edits variations
    speech transcriptions translations rerank embed score sessions transcription_sessions client_secrets calls accept
    batches moderations ocr info:invoke invoke invocations estimate generate images videos remix realtime live predict
    decisions extensions simulations text-to-image infer generatecontent streamgeneratecontent rawpredict converse"""
)
_AGENTS: Final = words(
    """assistants agents agent_optimization_jobs data_generation_jobs evaluator_generation_jobs memory_stores
    evaluationtaxonomies evaluationrules redteams evaluations agent_insight_monitors insights schedules routines"""
)
"""What runs a model, now or again and again, whether its body names one or not."""
NESTED: Final = words(
    "model basemodel chat_model embedding_model modeldeploymentname model_deployment_name deployment deployment_name"
)
"""Keys that name a model or a deployment, at any level."""
_DEFINES: Final = NESTED | words("definition manifest manifest_id manifest_url")
_RENAMED: Final = words("assistants agents memory_stores agent_insight_monitors insights")
"""Of these an update may change no more than a description."""
_AGENT_PATHS: Final = frozenset({"agents", "applications"})
_DROPPED: Final = words("openai v1 api beta v1beta models anthropic v2 inference")


@dataclass(frozen=True, slots=True)
class ModelPath:
    """`action` None: `known` to run no model, or else one only if the body names it. `deployment`: as in the path."""

    action: Action | None
    known: bool = False
    deployment: str | None = None
    keys: frozenset[str] = NESTED
    """Without an action: the keys that make the call one about a model."""
    hidden: bool = False
    """The model is that of an agent, whatever the body says."""


NONE: Final = ModelPath(None, known=True)


def read_path(segments: tuple[str, ...], endpoint: bool) -> ModelPath:
    """What the path *segments* does. *endpoint*: the host is one deployed model's own."""
    low = tuple(segment.lower() for segment in segments)
    if endpoint:
        return ModelPath(Action.INVOKE)
    if low and low[0] in _READY_MADE and "openai" not in low and "deployments" not in low[:-2]:
        return (
            ModelPath(None, keys=_MAY_NAME[low[0]]) if low[0] in _MAY_NAME else NONE
        )  # a language project has deployments of its own, which end with their name
    if "deployments" in low[:-1]:
        at = low.index("deployments")
        return ModelPath(Action.INVOKE, deployment=segments[at + 1])
    hidden = "protocols" in low and not _AGENT_PATHS.isdisjoint(low)
    if hidden and low[-1] not in _ENDS:
        return ModelPath(Action.INVOKE, hidden=True)
    if "openai" in low:
        low = low[low.index("openai") + 1 :]
    elif low[:1] == ("providers",):
        return ModelPath(Action.INVOKE)
    elif low[:2] == ("api", "projects"):
        low = low[3:]
    elif "anthropic" in low:
        low = low[low.index("anthropic") :]
    while low and low[0] in _DROPPED and len(low) > 1:
        low = low[1:]
    return _rest(low)


def _rest(low: tuple[str, ...]) -> ModelPath:
    if not low:
        return NONE
    first, last = low[0].partition(":")[0], low[-1]
    if len(low) == 1 and first in ("complete", "realtimertc"):  # Anthropic's first endpoint; a call over WebRTC
        return ModelPath(Action.INVOKE)
    if last in _ENDS or last.rpartition(":")[2] in _ENDS or first in _HARMLESS or last in _FETCHES:
        return NONE
    if low[-2:] == ("files", "content"):
        return NONE
    if first == "threads":
        runs = "runs" in low and (len(low) <= 3 or last == "submit_tool_outputs")
        return ModelPath(Action.INVOKE) if runs else NONE
    if first in ("fine_tuning", "fine-tunes"):
        makes = last in ("jobs", "fine-tunes", "resume", "copy") or "graders" in low
        return ModelPath(Action.CUSTOMIZE) if makes else ModelPath(None)
    if first == "evals":
        return ModelPath(Action.INVOKE) if last == "runs" else ModelPath(None)
    submits = last.partition(":")[0] in _INVOKES or (first == "video" and last == "jobs")
    if last.startswith("runs:") or first in ("realtime", "live", "voice-live") or submits:
        return ModelPath(Action.INVOKE)
    if first in _RENAMED and len(low) == 2 and ":" not in last:
        return ModelPath(None, keys=_DEFINES)
    if first in _AGENTS:
        return ModelPath(Action.PROVISION)
    return ModelPath(None)
