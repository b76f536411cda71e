"""An example for each verb of a group (`log tail`), put under its help."""

from __future__ import annotations

import typer

EXAMPLES = {
    "authorizations approve": "01J9… --by b@example.com --reason 'end user verified by phone'",
    "authorizations list": "--authorizations authorizations.yaml",
    "authorizations lower": "i-0abc --of cust-17 --tpp 126656",
    "authorizations reconcile": "01J9… --failed --note 'no such instance in the account'",
    "log checkpoint": "--key signing.pem > checkpoint.txt",
    "log erase": "--before 2016-01-01 --by b@example.com --reason 'retention has ended'",
    "log export": "--format parquet --output decisions.parquet --since 2026-01-01",
    "log hold": "case-17 --reason 'inquiry of 2026-11-25' --by b@example.com --customer cust-17",
    "log replay": "--now --customers customers.yaml",
    "log show": "01J9…",
    "log tail": "--lines 50 --follow",
    "log verify": "--checkpoint checkpoint.txt --public-key signing.pub.pem",
}


def with_examples(group: typer.Typer) -> typer.Typer:
    """*group*, each of its verbs with the example that stands here (one that says its own keeps it)."""
    for command in group.registered_commands:
        name = f"{group.info.name} {command.name}"
        told = command.help or (command.callback.__doc__ if command.callback is not None else "") or ""
        if "Example:" not in told:
            command.help = f"{told.strip()}\n\nExample: exportguard {name} {EXAMPLES.get(name, '')}".rstrip() + "\n"
    return group
