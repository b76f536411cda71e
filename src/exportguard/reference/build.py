"""Generate the compact form of the tables from `data/*.yaml`: `python -m exportguard.reference.build [--check]`.

The YAML is what people edit; `data/reference.jsonl` is what the library reads. Nothing is written when the data check
finds a problem. `--check` writes nothing and fails when the file is stale.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from exportguard.reference.checks import check
from exportguard.reference.countries import key_tables
from exportguard.reference.parts import part_keys
from exportguard.reference.store import COMPACT, DATA, encode

TABLES = (
    "accelerators", "country_groups", "ear_rules", "instances_aws", "instances_azure", "models", "processing",
    "provider_countries", "regions", "timeline", "zones",
)  # fmt: skip


def read_tables(folder: Path = DATA) -> tuple[dict[str, Any], list[str]]:
    """The tables as the library reads them, and the problems met while reading country names."""
    tables = {name: _read(folder / f"{name}.yaml") for name in TABLES}
    countries = _read(folder / "countries.yaml")
    kept = _read(folder / "country_spellings.yaml")
    codes, names, problems = key_tables(countries["countries"], kept["spellings"], kept["official"], kept["ambiguous"])
    parts, doubled = part_keys(kept["parts"])
    problems += doubled
    tables["countries"] = {
        "codes": sorted(row["code"] for row in countries["countries"]),
        "keys": codes,
        "names": names,
        "parts": parts,
        "source": countries["source"],
        "confidence": countries["confidence"],
    }
    return tables, [f"country_spellings.yaml: {problem}" for problem in problems]


def _read(path: Path) -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)


def main(arguments: list[str]) -> int:
    tables, problems = read_tables()
    problems += check(tables)
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        return 2
    fresh = encode(tables)
    if "--check" in arguments:
        stale = not COMPACT.exists() or COMPACT.read_bytes() != fresh
        if stale:
            print(f"{COMPACT.name} is stale; run python -m exportguard.reference.build", file=sys.stderr)
        return int(stale)
    COMPACT.write_bytes(fresh)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
