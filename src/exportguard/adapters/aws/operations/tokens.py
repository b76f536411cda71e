"""How many tokens a call of a model plans for: the most it may write, and about as many as its text is.

An estimate, as for every provider (`vocabulary.tokens`); what the answer says was used replaces what nobody knew. What
cannot be estimated from the call (an image, a document, a tool that the service itself runs) is unknown, never nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from exportguard.adapters.aws.call import get, most, number, times
from exportguard.vocabulary import NOT_GIVEN, Maybe, Unknown
from exportguard.vocabulary.tokens import BYTES_PER_TOKEN

LARGEST_BODY = 262_144
"""Bytes of an InvokeModel body that are parsed. Past it the tokens are unknown."""

_LIMITS = (
    ("max_tokens",),
    ("max_completion_tokens",),
    ("max_output_tokens",),
    ("max_tokens_to_sample",),
    ("max_gen_len",),
    ("maxTokens",),
    ("inferenceConfig", "maxTokens"),
    ("inferenceConfig", "max_new_tokens"),
    ("textGenerationConfig", "maxTokenCount"),
    ("max_new_tokens",),
    ("parameters", "max_new_tokens"),
)
"""Where the models on Bedrock take the most tokens to write (their pages in the Bedrock user guide)."""
_TIMES = ("n", "best_of", "num_generations", "numResults", "num_return_sequences")
"""How many answers are asked for."""
_SEEN = frozenset({"image", "document", "video", "audio", "file", "image_url", "input_image", "input_file",
                   "input_audio", "container_upload"})  # fmt: skip
"""Parts of a message that cost more than their letters, or that lie elsewhere."""
_ABOUT = frozenset({"model", "anthropic_version", "anthropic_beta"})
"""What says how a body is to be read, and is not read by the model."""
_SERVED = re.compile(r"(web_search|web_fetch|code_execution|mcp|tool_search|nova_grounding|nova_code)")
"""Tools that the service runs itself, whose results are read as input."""
_ANSWERS_NOTHING = re.compile(r"\.[\w-]*(?:embed|rerank)", re.IGNORECASE)
"""In a provider's own model id, which has a point; a name that somebody gave a throughput or a profile has none."""
_LEFT_OUT = ("NotGiven", "Omit")
"""What the anthropic package puts for an argument that is not given."""
_DEEPEST = 40
_MOST = 100_000


def of_body(body: Any, model: Any = None) -> Maybe[int]:
    """The tokens that a body of a model's own shape plans for. A stream is never consumed."""
    if isinstance(body, (bytes, bytearray, str)):
        if len(body) > LARGEST_BODY:
            return Unknown("the body is too long to be read for its tokens")
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            return NOT_GIVEN
    if not isinstance(body, Mapping):
        return NOT_GIVEN
    sent = {key: entry for key, entry in body.items() if key not in _ABOUT}
    return together(_limit(body), sent, model)


def of_conversation(parameters: Any, *, extra: Any = None) -> Maybe[int]:
    """The tokens that Converse plans for."""
    limits = [get(get(parameters, "inferenceConfig"), "maxTokens"), *_limits(extra)]
    given = [number(limit, "inferenceConfig.maxTokens") for limit in limits if limit is not None]
    sent = {key: get(parameters, key) for key in ("messages", "system", "toolConfig", "promptVariables")}
    return together(most(*given) if given else NOT_GIVEN, {**sent, "extra": extra}, get(parameters, "modelId"))


def together(limit: Maybe[int], sent: Any, model: Any = None) -> Maybe[int]:
    """*limit* and the tokens of what is *sent*; a model that only embeds or ranks writes nothing."""
    name = model if isinstance(model, str) else ""
    if isinstance(limit, Unknown) and not _ANSWERS_NOTHING.search(name):
        return limit
    if ":prompt/" in name:
        return Unknown("the prompt lies elsewhere")
    size = _weigh(sent)
    if isinstance(size, Unknown):
        return size
    written = 0 if isinstance(limit, Unknown) else limit
    total = written + -(-size // BYTES_PER_TOKEN)
    return total if total <= 10**15 else Unknown("more tokens than can be counted")


def _limit(body: Mapping[str, Any]) -> Maybe[int]:
    """The largest limit that is set, for each of the answers that are asked for."""
    given = [number(limit, "the most tokens") for limit in _limits(body)]
    if not given:
        return NOT_GIVEN
    several = [count for key in _TIMES if type(count := body.get(key)) is int and count > 1]
    return times(most(*given), max(several, default=1))


def _limits(body: Any) -> Iterator[Any]:
    for path in _LIMITS:
        value = body
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is not None and type(value).__name__ not in _LEFT_OUT:
            yield value


def _weigh(sent: Any) -> Maybe[int]:
    """Bytes of the text in *sent*, numbers in lists as a token each; unknown where more than text is sent."""
    size, nodes = 0, 0
    todo: list[tuple[Any, int]] = [(sent, 0)]
    while todo:
        node, depth = todo.pop()
        nodes += 1
        if depth > _DEEPEST or nodes > _MOST:
            return Unknown("too much is sent to be read for its tokens")
        if isinstance(node, str):
            size += len(node) if node.isascii() else len(node.encode("utf-8", "replace"))
        elif isinstance(node, Mapping):
            kind = node.get("type")
            if isinstance(kind, str) and (kind in _SEEN or _SERVED.match(kind)):
                return Unknown(f"what a part of type {kind[:40]} comes to is not known")
            for key, entry in node.items():
                if entry is None:
                    continue
                if key in _SEEN or (isinstance(key, str) and _SERVED.match(key)):
                    return Unknown(f"what a part `{str(key)[:40]}` comes to is not known")
                todo.append((entry, depth + 1))
        elif isinstance(node, (list, tuple)):
            if all(type(entry) in (int, float) for entry in node):
                size += BYTES_PER_TOKEN * len(node)
            else:
                todo += [(entry, depth + 1) for entry in node]
        elif isinstance(node, (bytes, bytearray)):
            return Unknown("what the bytes come to is not known")
        elif isinstance(node, Unknown):
            return node
        elif not (node is None or isinstance(node, (int, float)) or type(node).__name__ in _LEFT_OUT):
            return Unknown("something is sent that is not text")
    return size
