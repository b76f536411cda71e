"""Options that several verbs have, each with its name in the environment: said once, so that they say the same."""

from __future__ import annotations

from typing import Annotated

import typer

Customers = Annotated[str | None, typer.Option(help="Customers document.", envvar="EXPORTGUARD_CUSTOMERS")]
Customer = Annotated[str | None, typer.Option(help="Decide for this customer of the directory.")]
Policies = Annotated[str | None, typer.Option(help="A folder or file of policies.", envvar="EXPORTGUARD_POLICIES")]
Packs = Annotated[str | None, typer.Option(help="Shipped packs, separated by commas.", envvar="EXPORTGUARD_PACKS")]
Authorizations = Annotated[
    str | None, typer.Option(help="Authorizations document.", envvar="EXPORTGUARD_AUTHORIZATIONS")
]
Lists = Annotated[
    str | None, typer.Option(help="Restricted-party list in place of the shipped one.", envvar="EXPORTGUARD_LISTS")
]
MaxListAge = Annotated[
    str | None,
    typer.Option(help="Days after which a list proves no name clear (30).", envvar="EXPORTGUARD_MAX_LIST_AGE"),
]
Ledger = Annotated[
    str | None,
    typer.Option(
        help="Where use is counted (path, URL; `none`: not known). Default: the user's own, where it exists.",
        envvar="EXPORTGUARD_LEDGER",
    ),
]
AsOf = Annotated[str | None, typer.Option(help="Decide as of this date or instant (UTC).")]
