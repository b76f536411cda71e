"""An inverted index over the words of every listed name: what a name is compared with is found, not searched for."""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Iterable, Sequence
from datetime import date
from math import log
from typing import Any

from exportguard.parties.screening.alternatives import behind_parent, implied_names
from exportguard.parties.screening.listfile import ListFile
from exportguard.parties.screening.lookup import Lookup, table
from exportguard.parties.screening.names import readings, significant, squashed
from exportguard.parties.screening.result import Entry
from exportguard.parties.screening.words import FILLERS, LEGAL_FORMS, PERSON_NAMES

FORMAT = 11
"""Of the serialised index. Any change in how names become words has to raise it."""

PRIMARY, ALIAS, IMPLIED, SHORT, PART = 0, 1, 2, 3, 4
_SHORTEST_SQUASHED = 7
_LIGHT = 0.05
"""Weight of a legal form or a filler; a word that one listed name has weighs about 11."""
_SECTIONS = "IIBIIIffIIIIIIII"


class Index:
    """Listed names by their words. Immutable once made; look-ups need no lock.

    A *name id* numbers the names of all entries. `tokens_of` gives the words of a name, `with_word` the names that
    have a word.
    """

    def __init__(self, header: dict[str, Any], texts: list[str], keys: list[str], vocabulary: list[str],
                 entries: list[str], arrays: Sequence[array[Any]]) -> None:  # fmt: skip
        self.day = date.fromisoformat(header["day"])
        self.digest: str = header["digest"]
        self.texts, self.keys, self.vocabulary = texts, keys, vocabulary
        self._entries = entries
        self._arrays = arrays
        (self.entry_of, self._starts, self.kinds, self._tokens, self._post_starts, self._postings, self.weights,
         self._word_weights) = arrays[:8]  # fmt: skip
        self.word_ids: dict[str, int] = dict(zip(vocabulary, range(len(vocabulary)), strict=True))
        tables = list(zip(arrays[8::2], arrays[9::2], strict=True))
        self.by_key = Lookup(*tables[0], lambda number, text: keys[number] == text)
        self.by_squashed = Lookup(*tables[1], lambda number, text: text in _squashed(keys[number], texts[number]))
        """By the key and by the name without spaces: `Hua Wei` is found under `huawei`."""
        self.by_sorted = Lookup(*tables[2], lambda number, text: " ".join(sorted(keys[number].split())) == text)
        self._neighbours = Lookup(*tables[3])

    def __len__(self) -> int:
        return len(self.texts)

    def entry(self, entry_id: int) -> Entry:
        record = json.loads(self._entries[entry_id])
        return Entry(**record | {"countries": tuple(record["countries"]), "programs": tuple(record["programs"])})

    def type_of(self, name_id: int) -> str:
        """The first letter of the type of a name's entry, `-` where the list does not say."""
        record = self._entries[self.entry_of[name_id]]
        letter = record[record.find('"type": ') + 9]
        return letter if letter in "EIVA" else "-"

    def tokens_of(self, name_id: int) -> list[str]:
        vocabulary = self.vocabulary
        return [vocabulary[i] for i in self._tokens[self._starts[name_id] : self._starts[name_id + 1]]]

    def with_word(self, word: str) -> array[int]:
        """Ids of the names that have *word* (never asked for legal forms and fillers)."""
        word_id = self.word_ids.get(word)
        if word_id is None:
            return array("I")
        return self._postings[self._post_starts[word_id] : self._post_starts[word_id + 1]]

    def frequency(self, word: str) -> int:
        word_id = self.word_ids.get(word)
        return 0 if word_id is None else self._post_starts[word_id + 1] - self._post_starts[word_id]

    @property
    def rarest(self) -> float:
        """The weight of a word that at most one listed name has."""
        return log(1 + len(self.texts))

    def weight(self, word: str) -> float:
        word_id = self.word_ids.get(word)
        if word_id is not None:
            heft: float = self._word_weights[word_id]
            return heft
        return _LIGHT if is_light(word) else self.rarest

    def near(self, word: str) -> list[str]:
        """Listed words with the first two, the last two or the middle letters of *word*: a typo leaves one alone."""
        vocabulary = self.vocabulary
        numbers = {number for key in word_keys(word) for number in self._neighbours.get(key)}
        return [vocabulary[number] for number in numbers]

    def dump(self) -> bytes:
        """As bytes that `restore` reads; numbers in this machine's byte order."""
        blobs = ["\n".join(part).encode() for part in (self.texts, self.keys, self.vocabulary, self._entries)]
        blobs += [part.tobytes() for part in self._arrays]
        header = {"format": FORMAT, "order": sys.byteorder, "day": self.day.isoformat(), "digest": self.digest,
                  "sizes": [len(blob) for blob in blobs], "widths": [array(c).itemsize for c in _SECTIONS]}  # fmt: skip
        return json.dumps(header).encode() + b"\n" + b"".join(blobs)


def word_keys(word: str) -> tuple[str, ...]:
    middle = len(word) // 2
    return (f"{word[:2]}<", f">{word[-2:]}", word[middle - 1 : middle + 2])


def is_light(word: str) -> bool:
    return word in LEGAL_FORMS or word in FILLERS


def restore(payload: bytes) -> Index | None:
    """An index from its bytes, or None when they are another machine's or another version's."""
    line, _, rest = payload.partition(b"\n")
    header = json.loads(line)
    widths = [array(code).itemsize for code in _SECTIONS]
    if (header["format"], header["order"], header["widths"]) != (FORMAT, sys.byteorder, widths):
        return None
    blobs: list[bytes] = []
    position = 0
    for size in header["sizes"]:
        blobs.append(rest[position : position + size])
        position += size
    if position != len(rest):
        return None
    texts, keys, vocabulary, entries = (blob.decode().split("\n") for blob in blobs[:4])
    arrays: list[array[Any]] = []
    for code, blob in zip(_SECTIONS, blobs[4:], strict=True):
        made: array[Any] = array(code)
        made.frombytes(blob)
        arrays.append(made)
    return Index(header, texts, keys, vocabulary, entries, arrays)


def build(listed: ListFile) -> Index:
    """Index every name of *listed*: primary names, aliases, and those that they imply."""
    texts: list[str] = []
    kinds, entry_of = array("B"), array("I")
    words: list[tuple[str, ...]] = []
    entries: list[str] = []
    for entry_id, row in enumerate(listed.rows):
        entries.append(_record(row.entry))
        person = row.entry.type == "Individual"
        seen: set[tuple[str, ...]] = set()
        for kind, text in _all_names(row.names):
            for reading in readings(text):
                tokens = tuple(PERSON_NAMES.get(t, t) for t in reading.tokens) if person else reading.tokens
                if tokens in seen:
                    continue
                seen.add(tokens)
                texts.append(" ".join(text.split()))
                kinds.append(kind)
                entry_of.append(entry_id)
                words.append(tokens)
    vocabulary = list(dict.fromkeys(word for tokens in words for word in tokens))
    ids = {word: i for i, word in enumerate(vocabulary)}
    postings: list[list[int]] = [[] for _ in vocabulary]
    starts, flat = array("I", [0]), array("I")
    for name_id, tokens in enumerate(words):
        flat.extend(ids[word] for word in tokens)
        starts.append(len(flat))
        for word in set(tokens):
            if not is_light(word):
                postings[ids[word]].append(name_id)
    post_starts, post_flat = array("I", [0]), array("I")
    for posting in postings:
        post_flat.extend(posting)
        post_starts.append(len(post_flat))
    rarest = log(1 + len(texts))
    heft = [_LIGHT if is_light(word) else rarest - log(max(1, len(postings[i]))) for word, i in ids.items()]
    weights = array("f", (sum(heft[ids[word]] for word in tokens) for tokens in words))
    keys = [" ".join(significant(tokens)) for tokens in words]
    header = {"day": listed.day.isoformat(), "digest": listed.digest}
    numbered = list(enumerate(keys))
    long_words = [(i, word) for i, word in enumerate(vocabulary) if len(word) >= 4 and heft[i] > _LIGHT]
    tables = (
        table((key, i) for i, key in numbered),
        table((form, i) for i, key in numbered if " " in texts[i] for form in _squashed(key, texts[i])),
        table((" ".join(sorted(key.split())), i) for i, key in numbered if " " in key),
        table((part, i) for i, word in long_words if not word.isdigit() for part in word_keys(word)),
    )
    flat_tables = [part for pair in tables for part in pair]
    arrays: list[array[Any]] = [
        entry_of,
        starts,
        kinds,
        flat,
        post_starts,
        post_flat,
        weights,
        array("f", heft),
        *flat_tables,
    ]
    return Index(header, texts, keys, vocabulary, entries, arrays)


def _squashed(key: str, name: str) -> set[str]:
    return {key.replace(" ", "")} | {form for form in squashed(name) if len(form) > _SHORTEST_SQUASHED}


def _all_names(names: Sequence[str]) -> Iterable[tuple[int, str]]:
    for position, name in enumerate(names):
        yield (PRIMARY if position == 0 else ALIAS), name
    for name in names:
        for implied, own_weight in implied_names(name):
            yield (IMPLIED if own_weight else SHORT), implied
        part = behind_parent(name)
        if part is not None:
            yield PART, part


def _record(entry: Entry) -> str:
    record = {field: getattr(entry, field) for field in Entry.__slots__}
    return json.dumps(record, ensure_ascii=False)
