"""`exportguard init`: a first policy folder that passes as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

HELP = """Lay out a policy folder: a pack, its cases, customers, a pytest suite, a CI file and schemas for editors.

Everything passes at once: lint, test, coverage, fmt --check and pytest. Nothing that is there is overwritten.

Example: exportguard init . --name acme
"""


def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The folder of the project.")] = Path(),
    name: Annotated[str, typer.Option(help="What the policy is called.")] = "company",
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
) -> None:
    from exportguard.authoring.init import create

    for path in create(folder, name, force=force):
        print(f"wrote {path}")
    print(f"\nNext: exportguard lint {folder / 'policies'} && exportguard test {folder / 'policies'}")
