"""What a verb is given and gives back: documents of files or standard input, and an answer to each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from exportguard.documents import MAX_BYTES, parse_json, word_for
from exportguard.errors import DocumentError, InputError
from exportguard.vocabulary import Decision


@dataclass(frozen=True, slots=True)
class Entry:
    """One document with its place and the `id` it carries, or the error that stands in its place."""

    place: str
    id: str | int | None
    document: dict[str, Any] | None
    error: DocumentError | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The decision on an entry, or the error in its place."""

    entry: Entry
    decision: Decision | None
    error: InputError | None

    def document(self) -> dict[str, Any]:
        if self.decision is not None:
            return self.decision.model_dump(mode="json")
        assert self.error is not None
        told = {"message": self.error.message, "place": self.error.place, "remedy": self.error.remedy}
        return {"id": self.entry.id, "error": told}


def entries(names: list[str]) -> Iterator[Entry]:
    """The documents of every named file (`-`: standard input), in order. What cannot be read is an Entry too."""
    for name in names:
        if name == "-":
            yield from _stream(sys.stdin.buffer, "<stdin>", lines=False)
            continue
        path = Path(name)
        try:
            with path.open("rb") as stream:
                yield from _stream(stream, name, lines=path.suffix in (".jsonl", ".ndjson"))
        except OSError as error:
            yield Entry(name, None, None, DocumentError(f"cannot be read: {error.strerror}", place=name))


def _stream(stream: IO[bytes], place: str, *, lines: bool) -> Iterator[Entry]:
    head = stream.read(MAX_BYTES + 1)
    whole = len(head) <= MAX_BYTES
    if not lines and whole:
        first_error: DocumentError
        try:
            parsed = parse_json(head, place)
        except DocumentError as error:
            first_error = error
        else:
            many = parsed if isinstance(parsed, list) else [parsed]
            for index, document in enumerate(many):
                yield _entry(document, f"{place}[{index}]" if isinstance(parsed, list) else place)
            return
        # JSON Lines under another name: every line a document of its own.
        filled = [line for line in head.split(b"\n") if line.strip()]
        if len(filled) < 2 or not all(
            line.lstrip().startswith(b"{") and line.rstrip().endswith(b"}") for line in filled
        ):
            yield Entry(place, None, None, first_error)
            return
    number = 0
    for line in _lines(head, stream):
        number += 1
        where = f"{place}:{number}"
        if len(line) > MAX_BYTES:
            told = f"a line of more than {MAX_BYTES:,} bytes"
            yield Entry(where, None, None, DocumentError(told, place=where, remedy="Split it."))
            continue
        if not line.strip():
            continue
        try:
            document = parse_json(line, where)
        except DocumentError as error:
            yield Entry(where, None, None, error)
        else:
            yield _entry(document, where)


def _lines(head: bytes, stream: IO[bytes]) -> Iterator[bytes]:
    """Lines of *head* and what follows; one longer than the limit is given cut, never kept whole in memory."""
    rest = head
    ended = len(head) <= MAX_BYTES
    skipping = False
    while True:
        *whole, rest = rest.split(b"\n")
        for line in whole:
            if skipping:
                skipping = False
                continue
            yield line
        if len(rest) > MAX_BYTES and not skipping:
            yield rest
            skipping = True
        if skipping:
            rest = b""
        if ended:
            if rest and not skipping:
                yield rest
            return
        block = stream.read(2**20)
        ended = not block
        rest += block


def _entry(document: Any, place: str) -> Entry:
    if not isinstance(document, dict):
        told = f"expected an object, found {word_for(document)}"
        return Entry(
            place, None, None, DocumentError(told, place=place, remedy="Give a request document or a call document.")
        )
    identifier = document.pop("id", None)
    if identifier is not None and (isinstance(identifier, bool) or not isinstance(identifier, str | int)):
        return Entry(place, None, None, DocumentError("`id` is neither text nor a whole number", place=place))
    return Entry(place, identifier, document)
