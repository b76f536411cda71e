"""`exportguard schema`: the JSON Schema of a document."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

HELP = """Print the JSON Schema of a document: policy, suite, request, call, customers, authorizations, decision.

Example: exportguard schema request > request.schema.json
"""


def schema(
    name: Annotated[
        str | None, typer.Argument(help="Which document; left out: their names.", show_default=False)
    ] = None,
) -> None:
    from exportguard.authoring.schema import names
    from exportguard.authoring.schema import schema as make

    if name is None:
        print("\n".join(names()))
        return
    json.dump(make(name), sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")
