"""Which files of a policy folder are what: policies, suites, customers, authorizations, properties."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from stat import S_ISDIR

from exportguard.documents.looking import looked_at
from exportguard.errors import ConfigurationError, PolicyError
from exportguard.language import PolicySource
from exportguard.language.parse import Mapping, parse
from exportguard.language.source import MAX_TEXT
from exportguard.packs import shipped_folder, shipped_packs, yaml_files


class Kind(StrEnum):
    POLICY = "policy"
    SUITE = "suite"
    CUSTOMERS = "customers"
    AUTHORIZATIONS = "authorizations"
    PROPERTIES = "properties"
    ALIASES = "aliases"


@dataclass(frozen=True, slots=True, order=True)
class PolicyFile:
    """A YAML file of a policy folder. `name` is what is shown for it: the path as the user would write it."""

    path: Path
    kind: Kind

    @property
    def name(self) -> str:
        try:
            return str(self.path.relative_to(Path.cwd()))
        except ValueError:
            return str(self.path)


_STEMS = {
    "tests": Kind.SUITE,
    "customers": Kind.CUSTOMERS,
    "authorizations": Kind.AUTHORIZATIONS,
    "properties": Kind.PROPERTIES,
    "aliases": Kind.ALIASES,
}


def kind_of(path: Path) -> Kind:
    """By name: `tests.yaml` and `*.tests.yaml` are suites, `customers.yaml` customers …; all others are policies."""
    stem = path.stem
    if stem.endswith((".tests", "_tests", "-tests")):
        return Kind.SUITE
    return _STEMS.get(stem, Kind.POLICY)


def files_of(paths: Iterable[Path | str]) -> list[PolicyFile]:
    """The YAML files in and under *paths*, each once, sorted; hidden folders are left out.

    Raises:
        ConfigurationError: a path that is not there, or that cannot be looked at.
    """
    found: dict[Path, PolicyFile] = {}
    for given in paths:
        path = Path(given)
        found_there = looked_at(path)
        if found_there is not None and S_ISDIR(found_there.st_mode):
            for file in yaml_files(path):
                found.setdefault(file.absolute(), PolicyFile(file.absolute(), kind_of(file)))
        elif found_there is not None:
            found.setdefault(path.absolute(), PolicyFile(path.absolute(), kind_of(path)))
        else:
            raise ConfigurationError(f"`{path}` is not there", remedy="Name a policy folder or a file.")
    return sorted(found.values())


def overlooked(paths: Iterable[Path | str]) -> list[PolicyFile]:
    """Files in and under the folders *paths* that read like policies and are not read, for what they are called."""
    found: set[PolicyFile] = set()
    for given in paths:
        for here, folders, names in os.walk(given):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                path = Path(here, name).absolute()
                read = name.lower().endswith((".yaml", ".yml")) and not name.startswith(".")
                if not read and not name.endswith(_PUT_ASIDE) and not name.startswith(".#") and _is_a_policy(path):
                    found.add(PolicyFile(path, Kind.POLICY))
    return sorted(found)


_PUT_ASIDE = ("~", ".bak", ".orig", ".old", ".rej", ".swp", ".tmp", ".off", ".disabled", ".j2", ".tmpl", ".template")
"""How names of files end that somebody keeps and does not mean to be read."""


def _is_a_policy(path: Path) -> bool:
    try:
        source = PolicySource.from_path(path) if path.is_file() and path.stat().st_size <= MAX_TEXT else None
    except (PolicyError, OSError):
        return False
    if source is None or not {"policy", "rules"} <= set(_KEY.findall(source.text)):
        return False
    tree, _ = parse(source)
    return isinstance(tree, Mapping) and {"policy", "rules"} <= {key.text for key, _ in tree.entries}


_KEY = re.compile(r"(?m)(?:^|[{,])\s*[\"']?(policy|rules)[\"']?\s*:")


def pack_folder(name: str) -> Path:
    """The folder of a shipped pack. Raises ConfigurationError for a name that is none."""
    known = shipped_packs()
    if name not in known:
        from difflib import get_close_matches

        near = get_close_matches(name, known, n=1)
        hint = f"Did you mean `{near[0]}`? " if near else ""
        raise ConfigurationError(f"no pack is called `{name}`", remedy=f"{hint}There are: {', '.join(known)}.")
    return shipped_folder() / name


def default_paths(policies: str | None) -> list[Path]:
    """Where policies are when nothing is named: as configured, else `policies/`, else here."""
    if policies is not None:
        return [Path(policies)]
    return [Path("policies")] if Path("policies").is_dir() else [Path()]
