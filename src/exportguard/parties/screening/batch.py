"""Many names at once, in their order: in this process when they are few, on every core when they are many."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from exportguard.parties.screening.result import Screener, ScreeningResult

_CHUNK = 500
_WORTH_IT = 2000
"""Below this many names, starting processes takes longer than screening."""

_screener: Screener | None = None


def screen_many(
    screener: Screener,
    names: Iterable[str],
    *,
    as_of: datetime,
    country: str | None = None,
    workers: int | None = None,
) -> Iterator[ScreeningResult]:
    """Screen *names*, one result each, in order, as they come.

    Args:
        screener: see `load_screener`.
        names: read as they are needed, at most some thousands ahead.
        as_of: timezone-aware.
        country: a verified country that all of them share, alpha-2, or None.
        workers: processes; None: one a core. Where processes cannot be forked, or names are few, this one does it.
    """
    waiting = iter(names)
    first = list(islice(waiting, _WORTH_IT))
    processes = workers if workers is not None else _cores()
    if len(first) < _WORTH_IT or processes < 2 or not hasattr(os, "fork"):
        for name in first:
            yield screener.screen(name, as_of=as_of, country=country)
        for name in waiting:
            yield screener.screen(name, as_of=as_of, country=country)
        return
    yield from _forked(screener, first, waiting, as_of, country, processes)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _forked(
    screener: Screener,
    first: list[str],
    waiting: Iterator[str],
    as_of: datetime,
    country: str | None,
    processes: int,
) -> Iterator[ScreeningResult]:
    """The index is loaded once, here, and shared with the children; they get names and give back results."""
    import multiprocessing
    from collections import deque

    global _screener
    screener.screen(first[0], as_of=as_of, country=country)
    _screener = screener
    context = multiprocessing.get_context("fork")
    try:
        with context.Pool(processes) as pool:
            running: deque[multiprocessing.pool.AsyncResult[list[ScreeningResult]]] = deque()
            chunks = _chunks(first, waiting)
            for chunk in chunks:
                running.append(pool.apply_async(_screen_chunk, (chunk, as_of, country)))
                if len(running) > 4 * processes:
                    yield from running.popleft().get()
            while running:
                yield from running.popleft().get()
    finally:
        _screener = None


def _chunks(first: list[str], waiting: Iterator[str]) -> Iterator[list[str]]:
    for start in range(0, len(first), _CHUNK):
        yield first[start : start + _CHUNK]
    while chunk := list(islice(waiting, _CHUNK)):
        yield chunk


def _screen_chunk(names: list[str], as_of: datetime, country: str | None) -> list[ScreeningResult]:
    assert _screener is not None
    return [_screener.screen(name, as_of=as_of, country=country) for name in names]
