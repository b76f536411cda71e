"""What the demo prints: a row for every call, then what the decision log holds of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rich.markup import escape
from rich.table import Table

from exportguard.cli.demo.cases import run
from exportguard.cli.table import STYLES, console, why
from exportguard.record import open_log
from exportguard.vocabulary import Outcome

if TYPE_CHECKING:
    from exportguard.guard import Guard


class Remembering:
    """The demo's decision log: a SQLite file, and which of its records this run wrote (others may run beside it)."""

    def __init__(self, store: Path) -> None:
        self._log = open_log(store)
        self.store = store
        self.written: list[str] = []

    def append(self, record: Mapping[str, Any]) -> int:
        sequence = self._log.append(record)
        self.written.append(record["decision_id"])
        return sequence

    def appending(self, record: Mapping[str, Any]) -> Any:
        """As the log's own: the record is then written in the transaction that reserves."""
        write = self._log.appending(record)  # type: ignore[attr-defined]
        if record["decision_id"] not in self.written:
            self.written.append(record["decision_id"])
        return write

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def __enter__(self) -> Remembering:
        return self

    def __exit__(self, *exc: object) -> Literal[False]:
        self._log.close()
        return False


def show(guard: Guard, log: Remembering, as_of: datetime) -> None:
    """Make the calls and print them; then read the decisions back from the file."""
    screen = console()
    screen.print(
        f"Calls of the 2024 report on A100/H100 servers and model tokens, decided as of {as_of:%Y-%m-%d}.\n"
        "Real boto3, azure-mgmt-compute and openai clients; AWS is played by moto, Azure by servers on 127.0.0.1.\n"
    )
    table = Table(show_lines=True)
    for title, ratio in (("who", 22), ("what", 18), ("where", 10), ("outcome", 7), ("first reason", 36), ("seen", 16)):
        table.add_column(title, ratio=ratio, overflow="fold")
    for case in run(guard):
        if case.refused is None:
            outcome, reason = Outcome.ALLOW, "no rule objects"
            stored = log.get(log.written[-1]) if log.written else None
            if stored is not None and stored.record["decision"].get("not_applicable") == "no_item":
                reason = "carries no accelerator and no model"
        else:
            outcome, reason = case.refused.outcome, why(case.refused)
        style = STYLES[outcome]
        table.add_row(
            *(escape(text) for text in (case.who, case.what, case.where)),
            f"[{style}]{outcome}[/]",
            escape(reason),
            escape(case.proof),
        )
    screen.print(table)
    _read_back(screen, log)


def _read_back(screen: Any, log: Remembering) -> None:
    fresh = open_log(log.store)
    try:
        outcomes: Counter[str] = Counter()
        for decision_id in log.written:
            stored = fresh.get(decision_id)
            if stored is None:
                raise RuntimeError(f"decision {decision_id} is missing from {log.store}")
            outcomes[stored.record["decision"]["outcome"]] += 1
        told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
        total = sum(stored.sequence for stored in fresh.tail(1))
    finally:
        fresh.close()
    screen.print(
        f"\n{len(log.written)} decisions of this run read back from {escape(str(log.store))}: {told} "
        f"({total} in all).\n"
        "DENY and HOLD are refusals by policy: a company's own rules and providers' terms. None of them says that\n"
        "a call would have been unlawful, and none of this is legal advice.",
        soft_wrap=True,
    )
