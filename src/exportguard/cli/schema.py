"""`exportguard schema`: the JSON Schema of a document."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from exportguard.errors import ConfigurationError

HELP = """Print the JSON Schema (draft 7) of a document: policy, suite, properties, request, call, customers …

In an editor with a YAML language server, the first line of a file names its schema:
`# yaml-language-server: $schema=.schemas/policy.schema.json`.

Example: exportguard schema --write policies/.schemas
"""


def _complete(incomplete: str) -> list[str]:
    from exportguard.authoring.schema import names

    return [name for name in names() if name.startswith(incomplete)]


def schema(
    name: Annotated[
        str | None,
        typer.Argument(help="Which document; left out: their names.", show_default=False, autocompletion=_complete),
    ] = None,
    write: Annotated[
        Path | None, typer.Option(help="Write every schema into this folder, or just the named one.")
    ] = None,
) -> None:
    from exportguard.authoring.schema import names
    from exportguard.authoring.schema import schema as make

    if write is not None:
        for each in [name] if name is not None else names():
            target = write / f"{each}.schema.json"
            text = json.dumps(make(each), ensure_ascii=False, indent=2) + "\n"
            try:
                write.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
            except OSError as error:
                raise ConfigurationError(f"cannot be written: {error.strerror}", place=str(target)) from None
            print(f"wrote {target}")
        return
    if name is None:
        print("\n".join(names()))
        return
    json.dump(make(name), sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")
