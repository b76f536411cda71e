"""RE2, and only RE2: a pattern takes time linear in the text, whatever it is."""

from __future__ import annotations

from functools import lru_cache
from typing import Any


class RegexError(ValueError):
    """A pattern that RE2 refuses."""


@lru_cache(maxsize=1024)
def compile_pattern(pattern: str) -> Any:
    """A compiled pattern with a `search` method; `matches` finds it anywhere, as CEL's does.

    Raises:
        RegexError: the pattern is no RE2.
    """
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 8 << 20
    try:
        return re2.compile(pattern, options=options)
    except Exception as error:  # noqa: BLE001 - re2.error is not a stable name; whatever it raises is a refusal
        raise RegexError(_text(error)) from None


def _text(error: Exception) -> str:
    first = error.args[0] if error.args else "not understood"
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)
