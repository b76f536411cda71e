"""Programs that the reliability tests run as processes of their own. Each prints what was acknowledged to it."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


def say(text: str) -> None:
    os.write(1, text.encode() + b"\n")


def append_for_ever(place: str, name: str) -> None:
    from exportguard.record import open_log

    log = open_log(place)
    number = 0
    while True:
        decision = f"{name}-{number}"
        log.append({"decision_id": decision, "filling": "x" * 700})
        say(decision)
        number += 1


def reserve_for_ever(place: str, name: str) -> None:
    from exportguard.authority import AuthorizationDraw, UsageDraw, open_ledger

    ledger = open_ledger(place)
    number = 0
    while True:
        key = f"{name}-{number}"
        draw = [AuthorizationDraw("licence", "accelerators", 1, 10**9)]
        ledger.reserve(key, [UsageDraw("customer", "c", accelerators=1)], draw, as_of=AT)
        say(key)
        number += 1


def reserve_twice(place: str, name: str, requests: str, limit: str) -> None:
    """So many requests against one limit; then, when told to, each of them again under its key."""
    from exportguard.authority import AuthorizationDraw, LimitReachedError, UsageDraw, open_ledger

    ledger = open_ledger(place, timeout=60)
    say("ready")
    while sys.stdin.readline():
        for number in range(int(requests)):
            draw = [AuthorizationDraw("licence", "accelerators", 1, int(limit))]
            use = [UsageDraw("customer", "c", accelerators=1)]
            try:
                made = ledger.reserve(f"{name}-{number}", use, draw, as_of=AT)
            except LimitReachedError:
                say("refused")
            else:
                say("replayed" if made.replayed else "granted")
        say("done")


def open_both(place: str, name: str) -> None:
    from exportguard.authority import open_ledger
    from exportguard.record import open_log

    say("ready")
    sys.stdin.readline()
    log, ledger = open_log(place), open_ledger(place)
    log.append({"decision_id": name})
    ledger.reserve(name, (), as_of=AT)
    say("done")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
