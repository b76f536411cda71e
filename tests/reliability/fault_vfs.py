"""A disk that loses what was not synced, or fails: an SQLite VFS by APSW, in memory, and a driver for a store on it.

Every write since the last sync of its file may, at a power cut, have reached the disk, or not, or in part: each of its
sectors by itself, in any order (as in Pillai and others, "All File Systems Are Not Created Equal", OSDI 2014).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import apsw

from exportguard.storage import StorageError
from exportguard.storage.sqlite import DURABLE

SECTOR = 512


@dataclass
class Disk:
    """Files by name: what is durable, and what was written since, in order."""

    durable: dict[str, bytearray] = field(default_factory=dict)
    live: dict[str, bytearray] = field(default_factory=dict)
    unsynced: list[tuple[str, int, bytes]] = field(default_factory=list)
    """Name, place and bytes of each write; a place of -1 is a truncation to the length that the bytes say."""
    written: Callable[[], None] | None = None
    """Called after each write."""
    fault: Callable[[str], str | None] | None = None
    """Asked before each operation, by its name: what goes wrong with it (see `FAULTS`), or None."""

    def failing(self, operation: str) -> str | None:
        return self.fault(operation) if self.fault is not None else None

    def write(self, name: str, place: int, data: bytes) -> None:
        file = self.live[name]
        if len(file) < place + len(data):
            file.extend(bytes(place + len(data) - len(file)))
        file[place : place + len(data)] = data
        self.unsynced.append((name, place, data))
        if self.written is not None:
            self.written()

    def truncate(self, name: str, size: int) -> None:
        del self.live[name][size:]
        self.unsynced.append((name, -1, str(size).encode()))

    def sync(self, name: str) -> None:
        file = self.durable.setdefault(name, bytearray())
        for place, data in [each[1:] for each in self.unsynced if each[0] == name]:
            if place == -1:
                del file[int(data) :]
                continue
            if len(file) < place + len(data):
                file.extend(bytes(place + len(data) - len(file)))
            file[place : place + len(data)] = data
        self.forget(name)

    def forget(self, name: str) -> None:
        """What was written to *name* and not synced: as after a sync that failed, it will never be."""
        self.unsynced = [each for each in self.unsynced if each[0] != name]

    def after_a_power_cut(self, dice: random.Random) -> Disk:
        """The disk as it may be found: all that is durable, and of the rest whatever the dice say."""
        files = {name: bytearray(self.durable.get(name, b"")) for name in self.live}
        keep = dice.choice((0.0, 0.2, 0.5, 0.8, 1.0))
        for name, place, data in self.unsynced:
            file = files[name]
            if place == -1:
                if dice.random() < keep:
                    del file[int(data) :]
                continue
            for start in range(0, len(data), SECTOR):
                if dice.random() >= keep:
                    continue
                part = data[start : start + SECTOR]
                if dice.random() < 0.1:
                    part = part[: dice.randrange(len(part))]
                at = place + start
                if len(file) < at:
                    file.extend(bytes(at - len(file)))
                file[at : at + len(part)] = part
        return Disk(durable={name: bytearray(data) for name, data in files.items()}, live=files)


FAULTS = {
    "read": ("error", "short"),
    "write": ("error", "full", "short"),
    "sync": ("error", "lost"),
    "truncate": ("error",),
}
"""What may go wrong with an operation. A `short` write is one that a disk stopped in the middle; a `lost` sync failed,
and the system takes what it should have written for clean."""


class _File:
    def __init__(self, disk: Disk, name: str) -> None:
        self._disk, self._name = disk, name
        disk.live.setdefault(name, bytearray())

    def xRead(self, amount: int, offset: int) -> bytes:
        found = bytes(self._disk.live[self._name][offset : offset + amount])
        fault = self._disk.failing("read")
        if fault == "error":
            raise apsw.IOError("read")
        return found[: len(found) // 2] if fault else found

    def xWrite(self, data: Any, offset: int) -> None:
        written, fault = bytes(data), self._disk.failing("write")
        if fault == "short":
            self._disk.write(self._name, offset, written[: len(written) // 2])
        if fault:
            raise apsw.IOError("write") if fault == "error" else apsw.FullError("write")
        self._disk.write(self._name, offset, written)

    def xTruncate(self, size: int) -> None:
        if self._disk.failing("truncate"):
            raise apsw.IOError("truncate")
        self._disk.truncate(self._name, size)

    def xSync(self, flags: int) -> None:
        fault = self._disk.failing("sync")
        if fault == "lost":
            self._disk.forget(self._name)
        if fault:
            raise apsw.IOError("sync")
        self._disk.sync(self._name)

    def xFileSize(self) -> int:
        return len(self._disk.live[self._name])

    def xClose(self) -> None: ...
    def xLock(self, level: int) -> None: ...
    def xUnlock(self, level: int) -> None: ...
    def xCheckReservedLock(self) -> bool:
        return False

    def xFileControl(self, operation: int, pointer: int) -> bool:
        return False

    def xSectorSize(self) -> int:
        return SECTOR

    def xDeviceCharacteristics(self) -> int:
        return 0


class FaultyVfs(apsw.VFS):
    """Opens the files of `disk`, which may be changed between connections."""

    def __init__(self, name: str, disk: Disk) -> None:
        super().__init__(name, "")
        self.name, self.disk = name, disk

    def xOpen(self, name: Any, flags: list[int]) -> Any:
        filename = name.filename() if isinstance(name, apsw.URIFilename) else name
        flags[1] = flags[0]
        return _File(self.disk, str(filename).rsplit("/", 1)[-1])

    def xDelete(self, name: str, sync: bool) -> None:
        disk = self.__dict__.get("disk")
        if disk is not None:  # a connection that was not closed may be collected after this
            short = name.rsplit("/", 1)[-1]
            disk.live.pop(short, None)
            disk.forget(short)

    def xAccess(self, name: str, flags: int) -> bool:
        return name.rsplit("/", 1)[-1] in self.disk.live

    def xFullPathname(self, name: str) -> str:
        return "/" + name.rsplit("/", 1)[-1]


class FaultyDriver:
    """Runs a store on a faulty disk, with the shipped settings or others. One connection: the write-ahead log's index
    is then kept in memory (`locking_mode = EXCLUSIVE`), which a file of memory could not share."""

    place = "a faulty disk"
    types: Mapping[str, str] = {"blob": "BLOB", "integer": "INTEGER", "text": "TEXT", "real": "REAL"}

    def __init__(self, vfs: FaultyVfs, settings: tuple[str, ...] = DURABLE) -> None:
        self._vfs, self._settings = vfs, settings
        self._only: _Session | None = None

    def connect(self, *, writing: bool) -> Any:
        if self._only is None or self._only.closed:
            connection = apsw.Connection("store", vfs=self._vfs.name)
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            assert mode == "wal"
            # Small pages and frequent checkpoints: more of what can go wrong in a short run.
            connection.execute("PRAGMA wal_autocheckpoint = 12")
            for setting in self._settings:
                connection.execute(setting)
            self._only = _Session(connection)
        return self._only

    def explain(self, error: Exception) -> StorageError | None:
        if not isinstance(error, apsw.Error):
            return None
        damaged = isinstance(error, apsw.CorruptError | apsw.NotADBError)
        return StorageError("corrupt" if damaged else "other", self.place, str(error))

    def check(self) -> None: ...
    def retries(self, error: StorageError) -> bool:
        return False


class _Session:
    dialect = "sqlite"

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection, self.closed = connection, False

    def execute(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        return list(self._connection.execute(sql, dict(parameters or {})))

    def execute_each(self, sql: str, parameters: Sequence[Mapping[str, Any]]) -> None:
        self._connection.executemany(sql, [dict(each) for each in parameters])

    def begin(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self._connection.execute("COMMIT")

    def rollback(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        self.closed = True
        self._connection.close()
