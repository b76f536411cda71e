"""How many tokens the text that a call sends will be, roughly: no tokenizer is loaded, none is the provider's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

BYTES_PER_TOKEN: Final = 4
"""A token of English text is about four characters (OpenAI, "What are tokens and how to count them"); counted in bytes
of UTF-8, text in other scripts comes to more tokens, as it does with the providers."""

_SENT: Final = ("messages", "input", "prompt", "instructions", "system", "tools", "query", "documents", "texts")
_DEPTH: Final = 40


def input_tokens(body: Any) -> int:
    """An estimate of the tokens that *body* sends. Files, images and earlier turns that it only names are not in it."""
    if not isinstance(body, (dict, Mapping)):
        return 0
    size, numbers = 0, 0
    for key in _SENT:
        value = body.get(key)
        if value is not None:
            more, counted = _weigh(value, 0)
            size, numbers = size + more, numbers + counted
    return -(-size // BYTES_PER_TOKEN) + numbers


def _weigh(node: Any, depth: int) -> tuple[int, int]:
    """Bytes of text in *node*, and how many numbers stand in its lists (an input may be tokens already)."""
    if isinstance(node, str):
        if node.startswith("data:"):
            return 0, 0
        return (len(node) if node.isascii() else len(node.encode("utf-8", "replace"))), 0
    if depth > _DEPTH:
        return 0, 0
    size, numbers = 0, 0
    if isinstance(node, (dict, Mapping)):
        for value in node.values():
            if isinstance(value, (str, dict, list, tuple, Mapping)):
                more, counted = _weigh(value, depth + 1)
                size, numbers = size + more, numbers + counted
    elif isinstance(node, (list, tuple)):
        for value in node:
            if type(value) is int:
                numbers += 1
            elif isinstance(value, (str, dict, list, tuple, Mapping)):
                more, counted = _weigh(value, depth + 1)
                size, numbers = size + more, numbers + counted
    return size, numbers
