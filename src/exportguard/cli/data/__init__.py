"""`exportguard data` and its verbs: what is known, what a newer catalogue adds, what is stale, newer lists."""

import typer

from exportguard.cli.data import check, diff, refresh, show

app = typer.Typer(
    name="data",
    help="Look at, compare and check the reference data; take a newer screening list into use.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command("show", help=show.HELP)(show.show)
app.command("diff", help=diff.HELP)(diff.diff)
app.command("check", help=check.HELP)(check.check)
app.command("refresh", help=refresh.HELP)(refresh.refresh)

__all__ = ["app"]
