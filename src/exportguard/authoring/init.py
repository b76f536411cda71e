"""A first policy folder: a pack with its cases, customers, a pytest suite and a CI file, that pass as they are."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from exportguard.errors import ConfigurationError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
TEMPLATES = Path(__file__).parent / "templates"
SCHEMAS = ("policy", "suite", "properties", "customers", "authorizations")
_FILES = {
    "policy.yaml": "policies/{name}/policy.yaml",
    "tests.yaml": "policies/{name}/tests.yaml",
    "properties.yaml": "policies/{name}/properties.yaml",
    "customers.yaml": "policies/customers.yaml",
    "README.md": "policies/README.md",
    "test_policies.py.txt": "tests/test_policies.py",
    "ci.yaml": ".github/workflows/exportguard.yaml",
}


def plan(folder: Path, name: str) -> Iterator[tuple[Path, str]]:
    """(path, text) of every file of a first policy folder called *name*.

    Raises:
        ConfigurationError: *name* is no name of a policy.
    """
    import json

    from exportguard.authoring.schema import schema

    if not _NAME.match(name) or name in ("tests", "customers", "authorizations", "properties", "aliases"):
        raise ConfigurationError(f"`{name}` is no name of a policy", remedy="Use letters, digits, `-`, `_` and `.`.")
    for template, target in _FILES.items():
        text = (TEMPLATES / template).read_text(encoding="utf-8")
        yield folder / target.format(name=name), text.replace("@NAME@", name)
    for document in SCHEMAS:
        text = json.dumps(schema(document), ensure_ascii=False, indent=2) + "\n"
        yield folder / "policies" / ".schemas" / f"{document}.schema.json", text


def create(folder: Path, name: str, *, force: bool = False) -> list[Path]:
    """Write the files. Nothing is written when one of them is there already, unless *force*.

    Raises:
        ConfigurationError: a file that is there, or that cannot be written.
    """
    files = list(plan(folder, name))
    there = [path for path, _ in files if os.path.lexists(path)]
    if there and not force:
        raise ConfigurationError(
            f"`{there[0]}` is there already", remedy="Choose another folder or --name, or overwrite with --force."
        )
    for path, text in files:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise ConfigurationError(f"cannot be written: {error.strerror}", place=str(path)) from None
    return [path for path, _ in files]
