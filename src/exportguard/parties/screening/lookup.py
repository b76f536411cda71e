"""From texts to numbers by sorted hashes: two flat arrays that are ready as they are read from disk, whereas building
a dictionary of a hundred thousand texts takes longer than screening a hundred names."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from zlib import crc32


class Lookup:
    """Numbers by text. A text may have several; `same` tells a text's numbers from those of one with its hash."""

    __slots__ = ("_same", "hashes", "numbers")

    def __init__(self, hashes: array[int], numbers: array[int], same: Callable[[int, str], bool] | None = None) -> None:
        self.hashes, self.numbers, self._same = hashes, numbers, same

    def get(self, text: str, default: Sequence[int] = ()) -> Sequence[int]:
        """The numbers of *text*, in their order."""
        hashes, wanted = self.hashes, crc32(text.encode())
        start = end = bisect_left(hashes, wanted)
        count = len(hashes)
        while end < count and hashes[end] == wanted:
            end += 1
        if start == end:
            return default
        found = self.numbers[start:end]
        same = self._same
        if same is None:
            return found
        return [number for number in found if same(number, text)] or default


def table(pairs: Iterable[tuple[str, int]]) -> tuple[array[int], array[int]]:
    """The two arrays of a `Lookup` of (text, number)."""
    ordered = sorted((crc32(text.encode()), number) for text, number in pairs)
    return array("I", (hash_ for hash_, _ in ordered)), array("I", (number for _, number in ordered))
