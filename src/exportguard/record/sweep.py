"""One pass over all records, for `verify`: text against leaf, leaf against tree, a page at a time.

A page in which everything fits, as nearly every one does, is looked at as a whole; only one in which something does
not is gone through record by record, to say what.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from exportguard.record.log import SqlLog, StoredRecord, stored_record
from exportguard.record.merkle import EMPTY_ROOT, Frontier, leaf_hash
from exportguard.record.retention import ERASURE_ID, erased_by

_PAGE = 512
"""Records read at once: bounds the memory, and a power of two, so that pages are subtrees."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `kind`: changed, swapped, missing, cut, added, rewritten, state, signature, old,
    checkpoint, content, damaged, unreadable. `sequence` is the first record that it concerns."""

    kind: str
    message: str
    sequence: int | None = None


@dataclass(slots=True)
class Sweep:
    """What was seen so far. `sizes`: of which trees the roots are wanted."""

    sizes: set[int] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    frontier: Frontier = field(default_factory=Frontier)
    roots: dict[int, bytes] = field(default_factory=lambda: {0: EMPTY_ROOT})
    changed: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    """Sequence, leaf as stored, leaf as the text has it."""
    broken_at: int | None = None
    before: Frontier = field(default_factory=Frontier)
    """The tree before the first record whose root does not fit."""
    last: int = 0
    erased: list[list[int]] = field(default_factory=list)
    """Ranges of records without a text."""
    erasures: list[tuple[int, int]] = field(default_factory=list)
    """Ranges that records of erasures name, as far as those come later."""

    def read_on(self, log: SqlLog) -> None:
        """Look at every record after the last one that was seen."""
        while rows := log.rows(self.last, _PAGE):
            if self.broken_at is not None or not self._fits(rows):
                for row in rows:
                    self._look_at(stored_record(row))

    # -- a page -----------------------------------------------------------------------------------------------

    def _fits(self, rows: Sequence[Sequence[Any]]) -> bool:
        """Whether nothing at all is wrong with a page; it is then taken in, else nothing is."""
        first = self.last + 1
        numbers, names, bodies, leaves, roots = zip(*rows, strict=True)
        try:
            if numbers != tuple(range(first, first + len(rows))):
                return False
            found = [sha256(b"\x00" + body).digest() for body in bodies]
            gone = [n for n, body in enumerate(bodies) if not body] if b"" in bodies else []
            for n in gone:
                found[n] = leaves[n]
            if tuple(found) != leaves:
                return False
            for name, body in zip(names, bodies, strict=True):
                if body and not is_of(name, body):
                    return False
            frontier = self.frontier.copy()
            made = frontier.extend(found)
        except (TypeError, AttributeError):  # something else than text and bytes lies there
            return False
        if tuple(made) != roots:
            return False
        self.frontier, self.last = frontier, self.last + len(rows)
        for n in gone:
            self._note_gone(first + n)
        for number, name, body in zip(numbers, names, bodies, strict=True):
            if name.startswith(ERASURE_ID):
                self._note_erasure(number, body)
        if self.sizes:
            at = frontier.size - len(rows) + 1
            self.roots |= {size: made[size - at] for size in self.sizes.intersection(range(at, frontier.size + 1))}
        return True

    # -- a record ---------------------------------------------------------------------------------------------

    def _look_at(self, stored: StoredRecord) -> None:
        if stored.sequence != self.last + 1:
            lost = f"{self.last + 1}" + (f" to {stored.sequence - 1}" if stored.sequence > self.last + 2 else "")
            self.findings.append(Finding("missing", f"missing: record {lost}", self.last + 1))
            self.broken_at = self.broken_at or -1
        self.last = stored.sequence
        if stored.body:
            leaf = leaf_hash(stored.body)
            if stored.decision_id.startswith(ERASURE_ID):
                self._note_erasure(stored.sequence, stored.body)
        else:
            leaf = stored.leaf
            self._note_gone(stored.sequence)
        if leaf != stored.leaf:
            self.changed.append((stored.sequence, stored.leaf, leaf))
        elif stored.body and not is_of(stored.decision_id, stored.body):
            said = f"record {stored.sequence} is filed under another decision's id ({stored.decision_id})"
            self.findings.append(Finding("changed", said, stored.sequence))
        if self.broken_at is None:
            before = self.frontier.copy()
            self.frontier.append(leaf)
            if self.frontier.root() == stored.root:
                pass
            elif leaf != stored.leaf:
                # A changed text is named for itself; the tree goes on with what was there before.
                self.frontier = before.copy()
                self.frontier.append(stored.leaf)
            else:
                self.broken_at, self.before = stored.sequence, before
        else:
            self.frontier.append(leaf)
        if self.frontier.size in self.sizes:
            self.roots[self.frontier.size] = self.frontier.root()

    def _note_gone(self, number: int) -> None:
        if self.erased and self.erased[-1][1] == number - 1:
            self.erased[-1][1] = number
        else:
            self.erased.append([number, number])

    def _note_erasure(self, number: int, body: bytes) -> None:
        for first, last in erased_by(body):
            if first <= last < number:
                self.erasures.append((first, last))


def is_of(name: str, body: bytes) -> bool:
    """Whether the record *body* is that of the decision *name*."""
    plain = name.encode()
    at = body.find(plain)  # an id has few letters in common with the rest: this passes over most of a record
    return at >= 0 and (
        body[at - len(_ID) : at + len(plain) + 1] == b'%b%b"' % (_ID, plain) or b'%b%b"' % (_ID, plain) in body
    )


_ID = b'"decision_id":"'
