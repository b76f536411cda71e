"""`exportguard explain`: why a request is decided as it is; what an error code means."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import Annotated, Any

import typer

from exportguard.cli.check import read_instant
from exportguard.cli.formats import put
from exportguard.cli.options import (
    AsOf,
    Authorizations,
    Customer,
    Customers,
    Ledger,
    Lists,
    MaxListAge,
    Packs,
    Policies,
)
from exportguard.errors import ConfigurationError

HELP = """Explain one request or call document: every rule, its values, what is unknown, what would settle it.

Given a code such as EG203, say what it means.

Example: exportguard explain request.json --customers customers.yaml --format html --output why.html

Exit code: 0 ALLOW (or a code that there is), 1 DENY, 3 HOLD, 2 could not evaluate.
"""


class Format(StrEnum):
    TEXT = "text"
    TABLE = "table"
    """What other verbs call their text."""
    JSON = "json"
    MERMAID = "mermaid"
    HTML = "html"


def _complete(incomplete: str) -> list[str]:
    from exportguard.language.codes import EXPLANATIONS

    return [code for code in EXPLANATIONS if code.startswith(incomplete.upper())]


def explain(
    what: Annotated[
        str,
        typer.Argument(
            metavar="FILE|CODE", help="A document, `-` for standard input, or a code.", autocompletion=_complete
        ),
    ],
    customers: Customers = None,
    customer: Customer = None,
    policies: Policies = None,
    packs: Packs = None,
    authorizations: Authorizations = None,
    lists: Lists = None,
    max_list_age: MaxListAge = None,
    ledger: Ledger = None,
    as_of: AsOf = None,
    author: Annotated[
        bool,
        typer.Option(
            "--author", help="Also show evasive changes, for who writes rules: a way round is a rule to be mended."
        ),
    ] = False,
    format: Annotated[Format, typer.Option(help="How to print.")] = Format.TEXT,  # noqa: A002
    output: Annotated[str | None, typer.Option(help="Write it to this file.")] = None,
) -> None:
    if re.fullmatch(r"[Ee][Gg]\d{3}", what):
        _explain_code(what.upper(), format, output)
        return
    given = {
        "customers": customers,
        "policies": policies,
        "packs": packs,
        "authorizations": authorizations,
        "lists": lists,
        "max_list_age": max_list_age,
        "ledger": ledger,
    }
    told = _account(what, given, customer, as_of, author)
    put(_printed(told, format), output)
    raise typer.Exit({"ALLOW": 0, "DENY": 1, "HOLD": 3}[told["decision"]["outcome"]])


def _printed(told: dict[str, Any], format: Format) -> str:  # noqa: A002
    from exportguard.cli.formats import explanation

    if format is Format.JSON:
        return json.dumps(told, ensure_ascii=False, indent=2)
    if format is Format.MERMAID:
        return explanation.as_mermaid(told)
    return explanation.as_html(told) if format is Format.HTML else explanation.as_text(told)


def _explain_code(code: str, format: Format, output: str | None) -> None:  # noqa: A002
    from difflib import get_close_matches

    from exportguard.language.codes import EXPLANATIONS
    from exportguard.language.codes import explain as meaning

    text = meaning(code)
    if text is None:
        near = ", ".join(get_close_matches(code, EXPLANATIONS, n=3))
        raise ConfigurationError(f"there is no code `{code}`", remedy=f"Near it: {near}." if near else None)
    if format is Format.JSON:
        put(json.dumps({"code": code, "explanation": text}, ensure_ascii=False), output)
    else:
        put(f"{code}: {text}", output)


def _account(
    what: str, options: dict[str, Any], customer: str | None, as_of: str | None, author: bool
) -> dict[str, Any]:
    from datetime import UTC, datetime

    from exportguard import judging
    from exportguard.authoring.account import account
    from exportguard.cli.check import _ledger, warn_of_old_list
    from exportguard.cli.inputs import entries
    from exportguard.cli.settings import chosen, load
    from exportguard.errors import DocumentError
    from exportguard.vocabulary import CallOrigin

    found = list(entries([what]))
    if len(found) != 1:
        raise DocumentError(f"holds {len(found)} documents", place=what, remedy="Explain one of them at a time.")
    entry = found[0]
    if entry.document is None:
        assert entry.error is not None
        raise entry.error
    given = chosen(**options)
    state = load(given)
    instant = read_instant(as_of) or datetime.now(UTC)
    warn_of_old_list(state.screener, instant)
    observation, named = judging.observe(judging.read_document(entry.document, entry.place))
    wanted = tuple(dict.fromkeys(each for each in (customer, named) if each is not None))
    for each in wanted:
        judging.require_customer(state, each)
    draft = judging.Draft(CallOrigin("check"), "enforce")
    decision = judging.decide_observation(state, observation, wanted, instant, _ledger(given.ledger), draft)
    if draft.request is None:
        return {"decision": decision.model_dump(mode="json"), "rules": [], "settling": [], "changes": []}
    return account(state, draft.request, instant, draft.usage, for_author=author)
