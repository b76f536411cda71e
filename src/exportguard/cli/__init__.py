"""The command line. One module a verb; verbs print and never decide."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of `exportguard`."""
    try:
        from exportguard.cli.app import run
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich", "click"):
            raise
        print(
            f"error: the command line needs `{error.name}`, which is not installed\n"
            "  help: pip install 'exportguard[cli]'",
            file=sys.stderr,
        )
        raise SystemExit(2) from None
    run()


__all__ = ["main"]
