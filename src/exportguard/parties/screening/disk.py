"""Built indexes on disk, by digest: data only, readable by their owner only, written at once or not at all.

A cache is never needed: when it can't be written, or what is there is not whole or not ours, the index is built.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from pathlib import Path

_MAGIC = b"exportguard-index\n"
_DIGEST_BYTES = 32


def cache_directory() -> Path:
    """`$EXPORTGUARD_HOME/cache`, else `exportguard` in the user's cache directory."""
    home = os.environ.get("EXPORTGUARD_HOME")
    if home:
        return Path(home).expanduser() / "cache"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "exportguard"


def load(key: str) -> bytes | None:
    """What was stored under *key*, or None when there is nothing that can be trusted."""
    try:
        descriptor = os.open(cache_directory() / f"{key}.index", os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except (OSError, RuntimeError):
        return None
    with os.fdopen(descriptor, "rb") as stream:
        try:
            about = os.fstat(stream.fileno())
            if os.name == "posix" and (about.st_uid != os.getuid() or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH)):
                return None
            raw = stream.read()
        except OSError:
            return None
    start = len(_MAGIC) + _DIGEST_BYTES
    payload = raw[start:]
    whole = raw[: len(_MAGIC)] == _MAGIC and hashlib.sha256(payload).digest() == raw[len(_MAGIC) : start]
    return payload if whole else None


def store(key: str, payload: bytes) -> None:
    """Keep *payload* under *key*. A disk that refuses is no error."""
    with contextlib.suppress(OSError, RuntimeError):
        folder = cache_directory()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=".index-")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(_MAGIC + hashlib.sha256(payload).digest() + payload)
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).replace(folder / f"{key}.index")
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
