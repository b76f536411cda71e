"""From the plain data of a customers document to checked customers; every problem at once, with its place."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from exportguard.parties.customer import Customer, CustomersDocument, Edge, Entity
from exportguard.parties.directory import MAX_BYTES, MAX_YAML_BYTES, MemoryDirectory
from exportguard.parties.reading import Parsed, Path_, Problem, parse_json, read_bytes, refuse

if TYPE_CHECKING:
    from exportguard.parties.ownership import OwnershipGraph

_WHAT = "the customers document"
_BOOLEANS = frozenset({"verified"})
_PLAIN = {
    "extra_forbidden": "is not a key of the schema",
    "missing": "is missing",
    "string_type": "should be text",
    "int_type": "should be a number",
    "float_type": "should be a number",
    "string_too_short": "should not be empty",
    "string_too_long": "is longer than 2000 characters",
    "bool_type": "should be true or false",
    "tuple_type": "should be a list",
    "dict_type": "should be a mapping",
    "model_type": "should be a mapping",
    "model_attributes_type": "should be a mapping",
    "finite_number": "is not a finite number",
    "recursion_loop": "is nested too deep",
}
_T = TypeVar("_T")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Half a million new objects with nothing to free among them: collecting in between doubles the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _field_path(loc: tuple[int | str, ...], data: Any) -> Path_:
    """pydantic's `loc` without the names of union members: only what can be followed in the data, and one more."""
    path: list[int | str] = []
    here: Any = data
    for part in loc:
        if isinstance(part, int):
            inside = isinstance(here, list | tuple) and part < len(here)
        else:
            inside = isinstance(here, Mapping) and part in here
        if inside:
            path.append(part)
            here = _inside(here, part)
        elif isinstance(part, str) and part.isidentifier() and part.islower() and isinstance(here, Mapping):
            path.append(part)
            break
    return tuple(path)


def _inside(value: Any, part: int | str) -> Any:
    return value[part]


def problems_of(error: ValidationError, data: Any, base: Path_, lines: Callable[[Path_], int | None]) -> list[Problem]:
    """One problem a place: of the members of a union, the reading that got furthest says what is wrong."""
    found: dict[Path_, list[str]] = {}
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        if "instance of Unknown" in detail["msg"]:
            continue
        path = _field_path(detail["loc"], data)
        message = _PLAIN.get(detail["type"]) or detail["msg"].removeprefix("Value error, ")
        if detail["type"] in ("enum", "literal_error"):
            message = detail["msg"][0].lower() + detail["msg"][1:]
        found.setdefault(path, []).append(message)
    deepest = [p for p in found if not any(len(q) > len(p) and q[: len(p)] == p and "unknown" not in q for q in found)]
    chosen = [p for p in deepest if p[-1:] != ("unknown",) or len(deepest) == 1] or deepest
    return [Problem(" or ".join(dict.fromkeys(found[path])), (*base, *path), lines((*base, *path))) for path in chosen]


def _problems(kind: Any, item: Any, path: Path_, parsed: Parsed) -> list[Problem]:
    try:
        _adapter(kind).validate_python(item)
    except ValidationError as error:
        return problems_of(error, item, path, parsed.line_of)
    return []


def _checked(kind: Any, items: Any, base: Path_, parsed: Parsed, problems: list[Problem]) -> tuple[Any, ...]:
    """The list *items* as *kind*; every item that is none becomes a problem."""
    if items is None:
        return ()
    if not isinstance(items, list | tuple):
        problems.append(Problem("should be a list", base, parsed.line_of(base)))
        return ()
    whole = _adapter(tuple[kind, ...])
    try:
        made: tuple[Any, ...] = whole.validate_python(items)
        return made
    except ValidationError:
        problems.extend(
            problem for index, item in enumerate(items) for problem in _problems(kind, item, (*base, index), parsed)
        )
    return ()


def read_document(parsed: Parsed, name: str, *, without_customers: bool = False) -> CustomersDocument:
    """Plain data as a checked document; *without_customers*: an ownership graph may stand alone.

    Raises:
        DocumentError: every problem, each with its place.
    """
    data, problems = parsed.data, list(parsed.problems)
    if not isinstance(data, Mapping):
        refuse(name, [*problems, Problem("should be a mapping with the key `customers`")], _WHAT)
    strange: list[Path_] = [(str(key),) for key in data if key not in CustomersDocument.model_fields]
    problems += [Problem("is not a key of the schema", path, parsed.line_of(path)) for path in strange]
    if "customers" not in data and not (without_customers and data.keys() & {"ownership", "entities"}):
        problems.append(Problem("`customers` is missing"))
    with _no_collection():
        customers = _checked(Customer, data.get("customers"), ("customers",), parsed, problems)
        edges = _checked(Edge, data.get("ownership"), ("ownership",), parsed, problems)
        entities = _checked(Entity, data.get("entities"), ("entities",), parsed, problems)
    for key, records in (("customers", customers), ("entities", entities)):
        first: dict[str, int] = {}
        for index, record in enumerate(records):
            if first.setdefault(record.id, index) != index:
                here: Path_ = (key, index, "id")
                problems.append(Problem(f"id `{record.id}` stands twice", here, parsed.line_of(here)))
    if problems:
        refuse(name, problems, _WHAT)
    return CustomersDocument.model_construct(customers=customers, ownership=edges, entities=entities)


def _directory(document: CustomersDocument) -> MemoryDirectory:
    made: list[OwnershipGraph] = []

    def graph() -> OwnershipGraph | None:
        # Building is idempotent, so two threads that both find the list empty do no harm.
        if not document.ownership and not document.entities:
            return None
        if not made:
            from exportguard.parties.ownership import OwnershipGraph

            with _no_collection():
                made.append(OwnershipGraph.of_document(document))
        return made[0]

    return MemoryDirectory(document.customers, graph)


def directory_of(data: Mapping[str, Any], name: str) -> MemoryDirectory:
    """A mapping as a directory; *name* stands in messages where a file's name would."""
    return _directory(read_document(Parsed(data, lambda path: None, []), name))


def customers_of(data: list[Any], name: str) -> tuple[Customer, ...]:
    """Customers from plain mappings (or ready ones), checked as those of a file are."""
    return read_document(Parsed({"customers": data}, lambda path: None, []), name).customers


def read_file(path: Path, suffix: str) -> MemoryDirectory:
    """A YAML, JSON or CSV file as a directory."""
    with _no_collection():
        limit = MAX_BYTES if suffix in (".json", ".csv") else MAX_YAML_BYTES
        text = read_bytes(path, limit, "the customers file")
        name = str(path)
        if suffix == ".json":
            parsed = parse_json(text, name)
        elif suffix == ".csv":
            from exportguard.parties.csvtext import parse_customers

            parsed = parse_customers(text, name)
        else:
            from exportguard.parties.yamltext import parse_yaml

            parsed = parse_yaml(text, name, booleans=_BOOLEANS)
        return _directory(read_document(parsed, name))
