"""Operations without an extractor of their own: a walk over known parameter paths, or a look through unknown keys."""

from __future__ import annotations

from exportguard.adapters.aws.call import Call


def walk(call: Call) -> None:
    call.unknown("todo", "")


def look_through(call: Call) -> None:
    call.unknown("todo", "")
