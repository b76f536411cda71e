"""Compiled policy sets on disk, by digest: data only, never code.

A process that starts with policies it has seen before reads trees, not text, and imports no parser. A cache is never
needed: what is not there, not whole, not this user's alone or of another version is made again, and a disk that
refuses is no error.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import sys
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exportguard._version import __version__

if TYPE_CHECKING:
    from exportguard.language import CompiledPolicySet, PolicySource
    from exportguard.reference import ReferenceData

FORMAT = 1
"""Changes whenever what is kept changes its form."""
MAX_BYTES = 64 * 2**20
KEPT = 64
"""Entries in one folder; the oldest go first."""

_MAGIC = b"exportguard-compiled\n"
_DIGEST = 32


def cache_directory() -> Path:
    """`$EXPORTGUARD_HOME/cache`, else `exportguard` in the user's cache directory."""
    home = os.environ.get("EXPORTGUARD_HOME")
    if home:
        return Path(home).expanduser() / "cache"
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "exportguard" / "cache"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache") / "exportguard"


def load_policies(
    sources: Sequence[PolicySource], reference: ReferenceData, *, folder: str | os.PathLike[str] | None = None
) -> CompiledPolicySet:
    """As `exportguard.language.load_policies`, by way of the cache in *folder* (`cache_directory()` if None).

    Raises:
        PolicyError: with every problem of every source; nothing is loaded, and nothing is kept.
    """
    place = Path(folder) if folder is not None else _default_folder()
    key = compiled_key(sources, reference)
    if place is not None:
        known = read(place, key)
        if known is not None:
            from exportguard.language.portable import from_data

            with contextlib.suppress(ValueError):
                return from_data(json.loads(known))
    from exportguard.language import load_policies as compile_policies

    compiled = compile_policies(sources, reference)
    if place is not None:
        from exportguard.language.portable import to_data

        data = json.dumps(to_data(compiled), ensure_ascii=True, separators=(",", ":"), allow_nan=False)
        write(place, key, data.encode("ascii"))
    return compiled


def _default_folder() -> Path | None:
    try:
        return cache_directory()
    except RuntimeError:  # no home directory can be told
        return None


def compiled_key(sources: Sequence[PolicySource], reference: ReferenceData) -> str:
    """sha256 over the texts (in any order, each once), the reference data, and what compiles them."""
    texts = sorted({(source.name, source.text) for source in sources})
    parts = [FORMAT, __version__, _compiler(), reference.digest, texts]
    text = json.dumps(parts, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


@lru_cache(maxsize=1)
def _compiler() -> list[list[Any]]:
    """The compiler's own files, so that one at work in a source tree never meets what an earlier one left."""
    room = Path(__file__).parent / "language"
    found = []
    with contextlib.suppress(OSError):
        for entry in sorted(os.scandir(room), key=lambda e: e.name):
            if entry.name.endswith(".py"):
                about = entry.stat()
                found.append([entry.name, about.st_size, about.st_mtime_ns])
    return found


def read(folder: Path, key: str) -> bytes | None:
    """What is kept under *key*, or None where nothing is that can be trusted."""
    if not _is_ours(folder):
        return None
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        descriptor = os.open(folder / f"{key}.compiled", flags)
    except (OSError, ValueError):
        return None
    with os.fdopen(descriptor, "rb") as stream:
        try:
            about = os.fstat(stream.fileno())
            if not stat.S_ISREG(about.st_mode) or about.st_size > MAX_BYTES:
                return None
            if os.name == "posix" and (about.st_uid != os.geteuid() or about.st_mode & 0o077):
                return None
            raw = stream.read(MAX_BYTES + 1)
        except OSError:
            return None
    start = len(_MAGIC) + _DIGEST
    payload = raw[start:]
    whole = raw.startswith(_MAGIC) and hashlib.sha256(key.encode() + payload).digest() == raw[len(_MAGIC) : start]
    return payload if whole else None


def write(folder: Path, key: str, payload: bytes) -> None:
    """Keep *payload* under *key*, all of it or nothing, for this user alone."""
    if len(payload) > MAX_BYTES // 2:
        return
    with contextlib.suppress(OSError, ValueError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not _is_ours(folder):
            return
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=".compiled-")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(_MAGIC + hashlib.sha256(key.encode() + payload).digest() + payload)
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).replace(folder / f"{key}.compiled")
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
        _forget_oldest(folder)


def _is_ours(folder: Path) -> bool:
    """Whether *folder* is this user's and nobody else can put or replace anything in it."""
    if os.name != "posix":
        return True
    try:
        about = folder.stat()
    except (OSError, ValueError):
        return False
    return stat.S_ISDIR(about.st_mode) and about.st_uid == os.geteuid() and not about.st_mode & 0o022


def _forget_oldest(folder: Path) -> None:
    entries = [entry for entry in os.scandir(folder) if entry.name.endswith(".compiled")]
    if len(entries) > KEPT:
        for entry in sorted(entries, key=lambda e: e.stat().st_mtime_ns)[: len(entries) - KEPT]:
            with contextlib.suppress(OSError):
                Path(entry.path).unlink()
