"""What verbs print for other programs: JUnit for test reports, SARIF and annotations for code review."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path


class Format(StrEnum):
    """How to print. A person reads `table`; `junit`, `sarif` and `github` are what CI systems show."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    JUNIT = "junit"
    SARIF = "sarif"
    GITHUB = "github"


def put(text: str, output: str | None) -> None:
    """Write *text* to the file *output*, or to standard output.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    if not text.endswith("\n"):
        text += "\n"
    if output is None or output == "-":
        sys.stdout.write(text)
        return
    from exportguard.errors import ConfigurationError

    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"cannot be written: {error.strerror}", place=output) from None


__all__ = ["Format", "put"]
