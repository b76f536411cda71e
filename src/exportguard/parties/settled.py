"""What was found out about the parties of a customer, kept for the day: most calls are made for a few customers."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any, NamedTuple

from exportguard.forks import Lock
from exportguard.parties.customer import Customer
from exportguard.parties.screening.result import Screener
from exportguard.vocabulary.fact import FactSource
from exportguard.vocabulary.party import Party

_KEPT = 4096
_memories: weakref.WeakKeyDictionary[Any, OrderedDict[Any, tuple[Any, Settled]]] = weakref.WeakKeyDictionary()
_lock = Lock()


class Settled(NamedTuple):
    """The parties with their listings and the answers about their ownership, and what that raised."""

    parties: tuple[Party, ...]
    red_flags: tuple[str, ...]
    sources: tuple[FactSource, ...]


class Key(NamedTuple):
    """What an answer depends on. Records are told apart as objects: one that was read again is another."""

    directory: Any
    day: date
    depends: tuple[Any, ...]


def key_of(
    directory: Any, customers: Sequence[Customer], screener: Screener | None, day: date, *more: Any
) -> Key | None:
    """The key for *customers*; None where an answer may not be kept: by a screener of the user's own, whose list may
    change between two calls."""
    kind: type = type(directory)
    if not customers or not (screener is None or _is_ours(type(screener))) or not _is_itself(kind):
        return None
    return Key(directory, day, (*customers, screener, *more))


@cache
def _is_ours(screener: type) -> bool:
    from exportguard.parties.screening.screener import NameScreener
    from exportguard.parties.screening.snapshots import InstalledScreener

    return issubclass(screener, (NameScreener, InstalledScreener))


@cache
def _is_itself(directory: Any) -> bool:
    """Whether objects of this type equal nothing but themselves, and do not live longer for being remembered."""
    return bool(directory.__hash__ is object.__hash__ and directory.__weakrefoffset__)


def recall(key: Key | None) -> Settled | None:
    """What was kept under *key*."""
    if key is None:
        return None
    memory = _memories.get(key.directory)  # one look into each: nothing to be locked for
    found = memory.get(_plain(key)) if memory is not None else None
    return None if found is None else found[1]


def keep(key: Key | None, settled: Settled) -> None:
    """Keep *settled* under *key*, with the objects of the key, so that no other gets their identity."""
    if key is None:
        return
    with _lock:
        memory = _memories.setdefault(key.directory, OrderedDict())
        memory[_plain(key)] = (key.depends, settled)
        if len(memory) > _KEPT:
            memory.popitem(last=False)


def _plain(key: Key) -> tuple[Any, ...]:
    return (key.day, *map(id, key.depends))
