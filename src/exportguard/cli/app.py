"""The verbs put together, and what every one of them does with errors: say place and remedy, exit with 2."""

from __future__ import annotations

import sys
import traceback
from typing import Annotated

import typer

from exportguard import __version__
from exportguard.cli import (
    authorizations,
    check,
    completion,
    coverage,
    data,
    demo,
    diff,
    explain,
    fmt,
    init,
    lint,
    log,
    own,
    prove,
    schema,
    screen,
    test,
)
from exportguard.cli.examples import with_examples
from exportguard.errors import ExportguardError

app = typer.Typer(
    name="exportguard",
    help="May this party have this accelerator or this model, there, now? Asked before the call leaves.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"exportguard {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Exit codes: 0 every request ALLOW, 1 some DENY, 3 none denied but some HOLD, 2 could not evaluate."""


VERBS = (
    ("check", check.check, check.HELP),
    ("completion", completion.completion, completion.HELP),
    ("coverage", coverage.coverage, coverage.HELP),
    ("demo", demo.demo, demo.HELP),
    ("diff", diff.diff, diff.HELP),
    ("explain", explain.explain, explain.HELP),
    ("fmt", fmt.fmt, fmt.HELP),
    ("init", init.init, init.HELP),
    ("lint", lint.lint, lint.HELP),
    ("own", own.own, own.HELP),
    ("prove", prove.prove, prove.HELP),
    ("schema", schema.schema, schema.HELP),
    ("screen", screen.screen, screen.HELP),
    ("test", test.run_cases, test.HELP),
)
for _name, _function, _help in VERBS:
    app.command(_name, help=_help)(_function)

for _group in (authorizations.app, data.app, log.app):
    app.add_typer(with_examples(_group))


def run() -> None:
    """Run the command line; errors of ours end with exit code 2 and no traceback."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    try:
        app()
    except ExportguardError as error:
        print(f"error: {error}" if not str(error).startswith("error") else str(error), file=sys.stderr)
        raise SystemExit(2) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(2) from None
    except OSError as error:
        # Of the machine, not of ours: a full disk behind standard output, a working directory that is gone.
        where = "" if error.filename is None else f"{error.filename}: "
        print(f"error: {where}{error.strerror or error}", file=sys.stderr)
        raise SystemExit(2) from None
    except Exception:  # noqa: BLE001
        # Python's own exit code for a traceback is 1, which here means "some request is denied".
        traceback.print_exc()
        print("error: exportguard failed; nothing was decided after this point", file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        raise SystemExit(130) from None
