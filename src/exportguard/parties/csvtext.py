"""Customers as CSV: a row is one party of one customer; rows of one id are one customer.

Columns, any order, only `id` required: `id`, `valid_until`, `end_use`, `aws`, `azure`, `openai`, `tenants` (several
ids separated by `;`), `tags` (`key=value;key=value`), then of the party: `role`, `party_id`, `name`, `kind`,
`country`, `subdivision`, `headquarters`, `parent_name`, `parent_country`, `parent_headquarters`, `owners` (JSON, as in
the customers document), `listings` (codes separated by `;`), `listings_as_of`, `verified` (`true`, `false`).
An empty cell is not given, hence unknown. `-` is known to be none: of `listings`, of `owners`, and in `parent_name`
that the party has no parent.
"""

from __future__ import annotations

import csv
import io
from typing import Any

from exportguard.errors import DocumentError
from exportguard.parties.reading import Parsed, Path_, Problem, parse_json, refuse

_CUSTOMER = ("valid_until", "end_use", "aws", "azure", "openai", "tenants", "tags")
_PARTY = {"role": "role", "party_id": "id"} | {
    key: key for key in ("name", "kind", "country", "subdivision", "headquarters", "listings_as_of")
}
_PARENT = {"parent_name": "name", "parent_country": "country", "parent_headquarters": "headquarters"}
_COLUMNS = frozenset({"id", "owners", "listings", "verified", *_CUSTOMER, *_PARTY, *_PARENT})
_CELL_LIMIT = 1 << 20


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def _tags(text: str, line: int, problems: list[Problem]) -> dict[str, str]:
    tags: dict[str, str] = {}
    for part in _split(text):
        key, equals, value = part.partition("=")
        if not equals or key.strip() in tags:
            problems.append(Problem(f"`tags`: `{part}` is no `key=value`, or its key stands twice", (), line))
        tags[key.strip()] = value.strip()
    return tags


def _party(row: dict[str, str], line: int, name: str, problems: list[Problem]) -> dict[str, Any] | None:
    party: dict[str, Any] = {field: row[column] for column, field in _PARTY.items() if row.get(column)}
    parent = {field: row[column] for column, field in _PARENT.items() if row.get(column)}
    if parent:
        party["ultimate_parent"] = None if parent == {"name": "-"} else parent
    if listings := row.get("listings"):
        party["listings"] = [] if listings == "-" else _split(listings)
    if verified := row.get("verified"):
        party["verified"] = {"true": True, "false": False}.get(verified.lower(), verified)
    if owners := row.get("owners"):
        if owners == "-":
            party["owners"] = []
        else:
            try:
                inner = parse_json(owners, name)
                party["owners"] = inner.data
                problems += [Problem(f"`owners`: {p.message}", (), line) for p in inner.problems]
            except DocumentError as problem:
                problems.append(Problem(f"`owners`: {problem.message}", (), line))
    return party or None


def parse_customers(text: str, name: str) -> Parsed:
    """CSV text as the plain data of a customers document."""
    problems: list[Problem] = []
    lines: dict[Path_, int] = {}
    customers: dict[str, dict[str, Any]] = {}
    order: dict[str, int] = {}
    previous_limit = csv.field_size_limit(_CELL_LIMIT)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        header = [column.strip() for column in next(reader, [])]
        for column in dict.fromkeys(header):
            if column not in _COLUMNS:
                problems.append(Problem(f"`{column}` is not a column of the schema", (), 1))
            elif header.count(column) > 1:
                problems.append(Problem(f"column `{column}` stands twice", (), 1))
        if "id" not in header:
            refuse(name, [*problems, Problem("the column `id` is missing", (), 1)], "the customers file")
        for cells in reader:
            if not any(cells):
                continue
            line = reader.line_num
            if len(cells) != len(header):
                problems.append(Problem(f"has {len(cells)} cells where {len(header)} are named", (), line))
                continue
            row = {column: cell.strip() for column, cell in zip(header, cells, strict=True)}
            _add(row, line, name, customers, order, lines, problems)
    except csv.Error as problem:
        refuse(name, [*problems, Problem(f"is not CSV: {problem}", (), reader.line_num)], "the customers file")
    finally:
        csv.field_size_limit(previous_limit)

    def line_of(path: Path_) -> int | None:
        return next((lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in lines), None)

    return Parsed({"customers": list(customers.values())}, line_of, problems)


def _add(
    row: dict[str, str],
    line: int,
    name: str,
    customers: dict[str, dict[str, Any]],
    order: dict[str, int],
    lines: dict[Path_, int],
    problems: list[Problem],
) -> None:
    customer_id = row["id"]
    if not customer_id:
        problems.append(Problem("`id` is empty", (), line))
        return
    stated = {column: row[column] for column in _CUSTOMER if row.get(column)}
    made: dict[str, Any] = {column: stated[column] for column in ("valid_until", "end_use") if column in stated}
    accounts: dict[str, Any] = {
        column: _split(stated[column]) for column in ("aws", "azure", "openai", "tenants") if column in stated
    }
    if "tags" in stated:
        accounts["tags"] = _tags(stated["tags"], line, problems)
    if accounts:
        made["accounts"] = accounts
    party = _party(row, line, name, problems)
    customer = customers.get(customer_id)
    if customer is None:
        customer = customers[customer_id] = {"id": customer_id, **made}
        order[customer_id] = len(order)
        lines[("customers", order[customer_id])] = line
    else:
        for key, value in made.items():
            if customer.setdefault(key, value) != value:
                problems.append(Problem(f"customer `{customer_id}`: `{key}` differs from an earlier row", (), line))
    if party is not None:
        parties = customer.setdefault("parties", [])
        lines[("customers", order[customer_id], "parties", len(parties))] = line
        parties.append(party)
