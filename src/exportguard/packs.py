"""Where policy text comes from: the shipped packs, a folder of the user's own, or both."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING

from exportguard.documents.looking import looked_at
from exportguard.errors import ConfigurationError

if TYPE_CHECKING:
    from exportguard.language import PolicySource

HISTORICAL = frozenset({"us-ai-diffusion-2025"})
"""Evaluated only when asked for by name: codified, announced as not enforced."""

_NOT_POLICIES = ("tests", "customers", "authorizations", "properties", "aliases")
"""Stems of files that stand beside policies. Every other YAML file of a folder is read as a policy, so that a
misspelt one is an error and never a rule that silently went missing."""

MAX_POLICY_BYTES = 4 * 2**20


def shipped_folder() -> Path:
    """The folder of the shipped packs: inside the installed package, or beside `src` in a source tree."""
    package = Path(__file__).parent
    for folder in (package / "_policies", package.parent.parent / "policies"):
        if folder.is_dir():
            return folder
    raise ConfigurationError("the shipped packs are missing from this installation", remedy="Reinstall exportguard.")


def shipped_packs() -> tuple[str, ...]:
    """Names of the shipped packs, historical ones included."""
    return tuple(sorted(p.name for p in shipped_folder().iterdir() if (p / "policy.yaml").is_file()))


def policy_sources(
    policies: str | os.PathLike[str] | Sequence[PolicySource] | None = None, *, packs: Iterable[str] | None = None
) -> tuple[PolicySource, ...]:
    """The sources of one policy set.

    Nothing given: every shipped pack but the historical ones. *packs*: just those. *policies* (a folder, a file, or
    ready sources): just those, or added to *packs* where both are given.

    Raises:
        ConfigurationError: a pack or path that is not there, a folder without policies, an unreadable file.
    """
    found: list[PolicySource] = []
    if policies is None and packs is None:
        packs = [name for name in shipped_packs() if name not in HISTORICAL]
    found += [_shipped(name) for name in dict.fromkeys(packs or ())]
    if isinstance(policies, str | os.PathLike):
        found.extend(_from_path(Path(policies)))
    elif policies is not None:
        found.extend(policies)
    if not found:
        raise ConfigurationError(
            "no policy was given: a guard without rules would allow everything",
            remedy="Name packs or a folder of policies, or leave both out for the shipped packs.",
        )
    return tuple(found)


def _shipped(name: str) -> PolicySource:
    known = shipped_packs()
    if name not in known:
        from difflib import get_close_matches

        near = get_close_matches(name, known, n=1)
        hint = f"Did you mean `{near[0]}`? " if near else ""
        raise ConfigurationError(f"no pack is called `{name}`", remedy=f"{hint}There are: {', '.join(known)}.")
    return _read(shipped_folder() / name / "policy.yaml", f"{name}/policy.yaml")


def _from_path(path: Path) -> list[PolicySource]:
    found = looked_at(path)
    if found is not None and S_ISREG(found.st_mode):
        return [_read(path, str(path))]
    if found is None or not S_ISDIR(found.st_mode):
        raise ConfigurationError(f"`{path}` is neither a file nor a folder", remedy="Name a policy folder or file.")
    files = [file for file in yaml_files(path) if not _stands_beside(file)]
    if not files:
        raise ConfigurationError(
            f"`{path}` holds no policy", remedy="Put a policy.yaml into it, or name another folder."
        )
    return [_read(file, str(file)) for file in files]


def yaml_files(folder: Path) -> list[Path]:
    """The YAML files in and under *folder*, sorted, hidden ones left out: in whatever case their names end, and behind
    links too, for a rule must not go missing because of where it is kept."""
    found: list[Path] = []
    seen: set[str] = set()

    def unreadable(error: OSError) -> None:
        raise ConfigurationError(f"cannot be read: {error.strerror or error}", place=str(error.filename))

    for here, folders, names in os.walk(folder, onerror=unreadable, followlinks=True):
        real = os.path.realpath(here)
        folders[:] = [] if real in seen else [name for name in folders if not name.startswith(".")]
        found += [
            Path(here, name)
            for name in names
            if real not in seen and name.lower().endswith((".yaml", ".yml")) and not name.startswith(".")
        ]
        seen.add(real)
    return sorted(found)


def _stands_beside(file: Path) -> bool:
    stem = file.stem
    return stem in _NOT_POLICIES or stem.endswith((".tests", "_tests", "-tests"))


def _read(file: Path, name: str) -> PolicySource:
    from exportguard.language import PolicySource

    try:
        if file.stat().st_size > MAX_POLICY_BYTES:
            raise ConfigurationError(
                f"a policy of more than {MAX_POLICY_BYTES // 2**20} MB",
                place=name,
                remedy="Split it into several files.",
            )
        data = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror or error}", place=name) from error
    from exportguard.documents import decode

    return PolicySource(name=name, text=decode(data, name, max_bytes=MAX_POLICY_BYTES))
