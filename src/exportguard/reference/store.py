"""The generated compact form of the tables, read once a process and parsed a table at a time.

`data/reference.jsonl` holds one table a line: `"name"`, a tab, canonical JSON. It is generated from `data/*.yaml` by
`python -m exportguard.reference.build`; a test fails when it is stale. The digest is over the file as it stands.
"""

from __future__ import annotations

import json
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from exportguard.errors import ReferenceDataError

DATA = Path(__file__).parent / "data"
COMPACT = DATA / "reference.jsonl"


class Store:
    """Tables by name, parsed when first asked for. Raises ReferenceDataError for a file or table that is not there."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._tables: dict[str, Any] = {}
        self._lines: dict[str, bytes] = {}
        for line in raw.splitlines():
            name, tab, text = line.partition(b"\t")
            if not tab:
                raise ReferenceDataError("the compact reference data has a line that is not a table")
            self._lines[name.decode()] = text

    @classmethod
    def packaged(cls) -> Store:
        try:
            return cls(COMPACT.read_bytes())
        except OSError as problem:
            raise ReferenceDataError(f"the packaged reference data cannot be read: {problem}") from problem

    @classmethod
    def of(cls, tables: dict[str, Any]) -> Store:
        return cls(encode(tables))

    @property
    def content(self) -> bytes:
        return self._raw

    @cached_property
    def digest(self) -> str:
        return "sha256:" + sha256(self._raw).hexdigest()

    @property
    def names(self) -> tuple[str, ...]:
        """The tables there are."""
        return tuple(self._lines)

    def table(self, name: str) -> Any:
        found = self._tables.get(name)
        if found is None:
            try:
                found = json.loads(self._lines[name])
            except KeyError:
                raise ReferenceDataError(f"reference data has no table `{name}`") from None
            except ValueError as problem:
                raise ReferenceDataError(f"reference table `{name}` cannot be read: {problem}") from problem
            self._tables[name] = found
        return found


def encode(tables: dict[str, Any]) -> bytes:
    """One table a line, keys sorted: equal tables give equal bytes."""
    lines = [
        name + "\t" + json.dumps(tables[name], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        for name in sorted(tables)
    ]
    return ("\n".join(lines) + "\n").encode()
