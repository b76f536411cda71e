"""Decisions as a person likes to read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from exportguard.cli.inputs import Answer
from exportguard.vocabulary import Decision, Outcome, Unknown

STYLES = {Outcome.ALLOW: "green", Outcome.HOLD: "yellow", Outcome.DENY: "bold red"}


def console() -> Console:
    """For standard output: plain in a pipe (and 120 wide there), colours on a terminal unless NO_COLOR is set."""
    shown = Console(highlight=False)
    if not shown.is_terminal:
        shown = Console(highlight=False, width=160, no_color=True)
    return shown


def who(decision: Decision) -> str:
    names = []
    for party in decision.parties:
        role = party.role if not isinstance(party.role, Unknown) else "party"
        name = party.name if isinstance(party.name, str) else "unnamed"
        names.append(f"{name} ({role})")
    return ", ".join(names) or "nobody known"


def what(decision: Decision) -> str:
    request = decision.request
    if request is None or isinstance(request.items, Unknown):
        return "unknown" if request is not None else "-"
    names: list[str] = []
    for item in request.items:
        known = [x for x in (item.name, item.instance_type, item.accelerator, item.model) if isinstance(x, str)]
        amount: Any = item.tokens if isinstance(item.model, str) else item.instances
        if item.instance_type is None and isinstance(item.accelerator, str):
            amount = item.count
        times = "" if isinstance(amount, Unknown) else f"{amount:,} x "
        if isinstance(item.model, str) and times:
            times = f"{amount:,} tokens of "
        names.append(f"{times}{known[0] if known else 'unknown item'}")
    return ", ".join(dict.fromkeys(names)) or "nothing controlled"


def where(decision: Decision) -> str:
    request = decision.request
    if request is None or isinstance(request.locations, Unknown):
        return "unknown" if request is not None else "-"
    places = []
    for place in request.locations:
        told = [x for x in (place.region, place.country) if isinstance(x, str)]
        places.append(", ".join(told) or "unknown")
    return ", ".join(dict.fromkeys(places)) or "unknown"


def why(decision: Decision) -> str:
    text = decision.summary
    if decision.not_applicable == "no_item":
        text = "carries no accelerator and no model"
    missing = list(dict.fromkeys(fact.path for fact in decision.unknown))
    if decision.outcome is Outcome.HOLD and missing and "not known:" not in text:
        text += f"; missing: {', '.join(missing)}"
    return text


def print_answers(answers: Sequence[Answer]) -> None:
    """A table of decisions and errors, in input order, then what would settle the held ones."""
    shown = console()
    table = Table(show_lines=len(answers) > 1, expand=False)
    for column in ("#", "who", "what", "where", "outcome", "first reason"):
        table.add_column(column, overflow="fold", vertical="top")
    for number, answer in enumerate(answers, 1):
        label = str(answer.entry.id if answer.entry.id is not None else number)
        decision = answer.decision
        if decision is None:
            table.add_row(escape(label), "", "", "", "[bold red]ERROR[/]", escape(str(answer.error)))
            continue
        style = STYLES[decision.outcome]
        cells = [escape(cell) for cell in (label, who(decision), what(decision), where(decision))]
        table.add_row(*cells, f"[{style}]{decision.outcome}[/]", escape(why(decision)))
    shown.print(table)
    for number, answer in enumerate(answers, 1):
        decision = answer.decision
        if decision is None or decision.allowed:
            continue
        label = str(answer.entry.id if answer.entry.id is not None else number)
        shown.print(f"[bold]{escape(label)}[/]: {decision.outcome} as of {decision.as_of:%Y-%m-%d}")
        for reason in decision.reasons:
            line = f"  {reason.effect} {reason.policy}/{reason.rule}: {reason.message}{reason.grounds}"
            shown.print(escape(line))
        for fact in decision.unknown:
            shown.print(escape(f"  missing {fact.path}: {fact.why}; {fact.how}"))
