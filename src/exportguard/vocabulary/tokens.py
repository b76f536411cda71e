"""How many tokens the text that a call sends will be, roughly (no tokenizer is loaded, none is the provider's own), and
how many an answer says were used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

BYTES_PER_TOKEN: Final = 4
"""A token of English text is about four characters (OpenAI, "What are tokens and how to count them"); counted in bytes
of UTF-8, text in other scripts comes to more tokens, as it does with the providers."""

_SENT: Final = frozenset(
    ("messages", "input", "prompt", "instructions", "system", "tools", "query", "documents", "texts")
)
_DEPTH: Final = 40


def input_tokens(body: Any) -> int:
    """An estimate of the tokens that *body* sends. Files, images and earlier turns that it only names are not in it."""
    if not isinstance(body, (dict, Mapping)):
        return 0
    size = numbers = 0
    level = [value for key, value in body.items() if key in _SENT]
    for _ in range(_DEPTH):
        deeper: list[Any] = []
        for node in level:
            if isinstance(node, str):
                if not node.startswith("data:"):
                    size += len(node) if node.isascii() else len(node.encode("utf-8", "replace"))
            elif isinstance(node, (dict, Mapping)):
                deeper += node.values()
            elif isinstance(node, (list, tuple)):
                for value in node:
                    if type(value) is int:
                        numbers += 1  # an input may be tokens already
                    else:
                        deeper.append(value)
        if not deeper:
            break
        level = deeper
    return -(-size // BYTES_PER_TOKEN) + numbers


_OVER: Final = frozenset({"completed", "incomplete", "failed", "cancelled"})
"""States in which nothing is added to what was used (Responses API, runs, batches)."""
_MOST_BYTES: Final = 1 << 20


def tokens_in(content: object) -> int | None:
    """`tokens_of` the JSON text of an answer; None for what is no such text, or a long one."""
    if not isinstance(content, bytes) or len(content) > _MOST_BYTES or content[:1] != b"{":
        return None
    try:
        return tokens_of(json.loads(content))
    except (ValueError, RecursionError):
        return None


def tokens_of(answer: Any) -> int | None:
    """The tokens that *answer* (a mapping, or an SDK's object) says it took; None while it is still being worked on."""
    status = _field(answer, "status")
    if isinstance(status, str) and status not in _OVER:
        return None
    return used_tokens(_field(answer, "usage"))


def _field(node: Any, name: str) -> Any:
    return node.get(name) if isinstance(node, (dict, Mapping)) else getattr(node, name, None)


_SENT_NAMES: Final = ("prompt_tokens", "input_tokens")
_WRITTEN_NAMES: Final = ("completion_tokens", "output_tokens")
_APART: Final = ("cache_creation_input_tokens", "cache_read_input_tokens")


def used_tokens(usage: Any) -> int | None:
    """The tokens that an answer says it took, from its *usage* (a mapping, or an SDK's object); None where it does not
    say all of it. The larger of a total and its parts: what is used is never told too low."""
    if usage is None:
        return None
    total = _count(usage, "total_tokens")
    sent = max(_count(usage, name) for name in _SENT_NAMES)
    written = max(_count(usage, name) for name in _WRITTEN_NAMES)
    if not total and not (sent and written):
        return None  # a part is not the whole; nothing at all is what a gateway says that does not count
    return max(total, sent + written + sum(_count(usage, name) for name in _APART))


def _count(usage: Any, name: str) -> int:
    value = _field(usage, name)
    return value if type(value) is int and 0 <= value <= 10**15 else 0
