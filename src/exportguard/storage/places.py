"""Where things lie on disk, readable by nobody but their user."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_NETWORKED = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "glusterfs", "lustre", "gpfs", "beegfs"}
    | {"fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.rclone", "fuse.blobfuse", "fuse.blobfuse2"}
)
"""File systems over which SQLite's shared memory and locks do not hold (sqlite.org/wal.html: one host only)."""


def state_directory() -> Path:
    """`$EXPORTGUARD_HOME`, else the user's state directory (XDG base directories; `%LOCALAPPDATA%` on Windows)."""
    home = os.environ.get("EXPORTGUARD_HOME")
    if home:
        return Path(home).expanduser()
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "exportguard"
    state = os.environ.get("XDG_STATE_HOME")
    # The base directory specification says that a relative path in it is to be ignored.
    base = Path(state) if state and Path(state).is_absolute() else Path.home() / ".local" / "state"
    return base / "exportguard"


def default_store() -> Path:
    """The SQLite file that holds decision log and ledger unless another place is named."""
    return state_directory() / "exportguard.sqlite3"


def make_private_file(path: Path) -> None:
    """Create *path* and what it lies in, for this user alone; what exists already keeps its permissions.

    Raises:
        OSError: it cannot be created.
    """
    missing = [folder for folder in path.parents if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
    if path.exists():
        return
    named = os.path.realpath(path)  # a link may name a file that is not there yet
    try:
        descriptor = os.open(named, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600)
    except FileExistsError:
        return  # somebody was quicker; to open it and close it again would let go of locks that SQLite holds on it
    os.close(descriptor)
    if sys.platform != "win32":
        # A new file outlives a power cut only when its directory entry does.
        folder_descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder_descriptor)
        finally:
            os.close(folder_descriptor)


def network_file_system(path: Path) -> str | None:
    """The kind of network file system that *path* lies on, or None as far as this machine tells."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
        real = path.resolve()
    except (OSError, RuntimeError):
        return None
    best, kind = -1, None
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not after:
            continue
        point = fields[4].replace("\\040", " ")
        if len(point) >= best and (point == "/" or real == Path(point) or real.is_relative_to(point)):
            best, kind = len(point), after.split()[0]
    return kind if kind in _NETWORKED else None
