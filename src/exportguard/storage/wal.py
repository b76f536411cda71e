"""Looks after SQLite's write-ahead log while it is written to.

SQLite appends to it by an index in memory and never looks back. Where the file is cut or overwritten in place
(`: > *-wal`), it goes on behind the hole and says that all is durable, yet whoever opens the store after a crash reads
up to the hole. Format: SQLite, "The WAL File Format" and "WAL-mode File Format".
"""

from __future__ import annotations

import struct
from typing import Final

_HEADER: Final = 32
_FRAME: Final = 24
_MAGIC: Final = 0x377F0682
_AGAIN: Final = 20
"""Another process may begin the log anew while it is looked at; not that often in a row."""


class WriteAheadLog:
    """Remembers where the log's last commit ended; `grown` tells whether the next one follows it without a hole.

    Reading it by a descriptor of its own is safe: SQLite holds its locks on the other two files.
    """

    def __init__(self, path: str) -> None:
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115  (for the life of a connection)
        self._header = b""
        self._end = 0
        """Frames up to the last that ends a commit."""
        self._last = b""
        self._size = 0

    def close(self) -> None:
        self._file.close()

    @property
    def written(self) -> bool:
        """Whether anything was in it the last time."""
        return bool(self._header)

    def look(self) -> bool:
        """Find the end of the last commit; False where what was there the last time is no longer."""
        return any(self._look() for _ in range(_AGAIN))

    def grown(self) -> bool:
        """Whether a commit was added since `look`, and lies where whoever recovers the log will find it."""
        before = (self._header, self._end, self._last)
        if not self.look():
            return False
        if self._header != before[0] or self._end != before[1] or self._last != before[2] or not self._header:
            return True
        # Frames of a commit that a crash tore apart may lie behind the true end, and are written over one by one.
        return self._valid() < self._end

    def _look(self) -> bool:
        header = self._read(0, _HEADER)
        if header != self._header:
            if header and not _is_header(header):
                return False
            # Begun anew, or emptied by a checkpoint: by then all of it was in the database.
            self._header, self._end, self._last = header, 0, b""
            self._size = _FRAME + int.from_bytes(header[8:12], "big") if header else 0
        if not header:
            return True
        salts, end, last = header[16:24], self._end, self._last
        if end and (self._frame(end - 1)[8:16] != salts or not self._read(_HEADER + end * self._size - 1, 1)):
            return False
        place = end
        while (frame := self._frame(place))[8:16] == salts:
            place += 1
            if frame[4:8] != b"\0\0\0\0":
                end, last = place, frame
        if end and end == self._end:
            last = self._frame(end - 1)
        if self._read(0, _HEADER) != header:
            return False
        self._end, self._last = end, last
        return True

    def _frame(self, number: int) -> bytes:
        return self._read(_HEADER + number * self._size, _FRAME)

    def _read(self, place: int, size: int) -> bytes:
        self._file.seek(place)
        return self._file.read(size)

    def _valid(self) -> int:
        """As many frames as SQLite's own recovery would take: their sums go on from one another."""
        big = self._header[3] & 1
        sums = _sums(self._header[:24], (0, 0), big)
        number = valid = 0
        while True:
            frame = self._read(_HEADER + number * self._size, self._size)
            if len(frame) < self._size or frame[8:16] != self._header[16:24]:
                return valid
            sums = _sums(frame[_FRAME:], _sums(frame[:8], sums, big), big)
            if struct.pack(">II", *sums) != frame[16:24]:
                return valid
            number += 1
            if frame[4:8] != b"\0\0\0\0":
                valid = number


def _is_header(header: bytes) -> bool:
    if len(header) < _HEADER or int.from_bytes(header[:4], "big") & ~1 != _MAGIC:
        return False
    return struct.pack(">II", *_sums(header[:24], (0, 0), header[3] & 1)) == header[24:]


def _sums(data: bytes, sums: tuple[int, int], big: int) -> tuple[int, int]:
    one, two = sums
    words = struct.unpack(f"{'>' if big else '<'}{len(data) // 4}I", data)
    for word in range(0, len(words), 2):
        one = (one + words[word] + two) & 0xFFFFFFFF
        two = (two + words[word + 1] + one) & 0xFFFFFFFF
    return one, two
