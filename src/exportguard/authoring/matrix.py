"""One case for many: a matrix of values or rows of them, and the placeholders that they fill."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from exportguard.errors import DocumentError

MAX_EXPANSIONS = 2_000
"""Cases that one case may stand for."""
_DEEPEST = 20
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def expansions(
    case: Mapping[str, Any],
    matrix: Mapping[str, Sequence[Any]],
    rows: Sequence[Mapping[str, Any]],
    fixtures: Mapping[str, Any],
    place: str,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(label, case) of each combination of *matrix* within each of *rows*, placeholders put in.

    Inside a call document, a `${Name}` that names nothing here stays: templates have placeholders of their own.

    Raises:
        DocumentError: an empty list, a name in both, too many combinations, a placeholder that names nothing.
    """
    for name, values in matrix.items():
        if not values:
            raise DocumentError(f"`{name}` has no value", place=f"{place}.matrix", remedy="Give at least one.")
    count = max(1, len(rows))
    for values in matrix.values():
        count *= len(values)
    if count > MAX_EXPANSIONS:
        raise DocumentError(
            f"stands for {count:,} cases, and {MAX_EXPANSIONS:,} is the limit", place=place, remedy="Split it."
        )
    used: set[str] = set()
    for row in rows or ({},):
        both = sorted(set(row) & set(matrix))
        if both:
            raise DocumentError(f"`{both[0]}` is in `rows` and in `matrix`", place=place, remedy="Name it once.")
        for combination in product(*matrix.values()):
            values_of = {**row, **dict(zip(matrix, combination, strict=True))}
            names = {**fixtures, **values_of}
            strict = bool(names) and case.get("call") is None
            made = _Filling(names, place, used, strict).fill(case)
            yield ", ".join(f"{name}={_shown(value)}" for name, value in values_of.items()), made
    unused = sorted(({*matrix} | {name for row in rows for name in row}) - used)
    if unused:
        raise DocumentError(
            f"`{unused[0]}` is not used in the case", place=place, remedy=f"Put it in as ${{{unused[0]}}}, or drop it."
        )


def _shown(value: Any) -> str:
    if isinstance(value, str):
        found = _PLACEHOLDER.fullmatch(value)
        return found[1] if found else value
    if isinstance(value, Mapping):
        for key in ("name", "id", "country"):
            if isinstance(value.get(key), str):
                return str(value[key])
        return "{…}"
    return "[…]" if isinstance(value, list | tuple) else str(value)


class _Filling:
    """Puts values in for placeholders. `strict`: one that names nothing is an error, else it is text."""

    def __init__(self, names: Mapping[str, Any], place: str, used: set[str], strict: bool) -> None:
        self.names, self.place, self.used, self.strict = names, place, used, strict

    def fill(self, value: Any, depth: int = 0) -> Any:
        if depth > _DEEPEST:
            raise DocumentError("a placeholder leads back to itself", place=self.place)
        if isinstance(value, Mapping):
            return {key: self.fill(part, depth) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [self.fill(part, depth) for part in value]
        if not isinstance(value, str):
            return value
        whole = _PLACEHOLDER.fullmatch(value)
        if whole and self.knows(whole[1]):
            return self.fill(self.names[whole[1]], depth + 1)
        return _PLACEHOLDER.sub(lambda found: self.text(found, depth), value)

    def text(self, found: re.Match[str], depth: int) -> str:
        if not self.knows(found[1]):
            return found[0]
        part = self.fill(self.names[found[1]], depth + 1)
        if isinstance(part, Mapping | list):
            raise DocumentError(
                f"`{found[0]}` is no text, and stands inside one",
                place=self.place,
                remedy="Let the placeholder be the whole value.",
            )
        return json.dumps(part) if part is None or isinstance(part, bool) else str(part)

    def knows(self, name: str) -> bool:
        if name in self.names:
            self.used.add(name)
            return True
        if self.strict:
            raise DocumentError(
                f"`${{{name}}}` names nothing", place=self.place, remedy=f"There are: {', '.join(sorted(self.names))}."
            )
        return False
