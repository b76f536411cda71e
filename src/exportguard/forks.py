"""Locks that a forked child finds free: a pre-forking server may fork while another of its threads holds one, and that
thread is not in the child to let it go."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from types import TracebackType


class Lock:
    """`threading.RLock` by `with`, for what is kept in memory alone: a child goes on with what it finds there."""

    __slots__ = ("__weakref__", "_inner")

    def __init__(self) -> None:
        self._inner = threading.RLock()
        _living.add(self)

    def __enter__(self) -> None:
        self._inner.acquire()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        # Whoever forked while holding it lets go, in the child, of one that nobody holds.
        with contextlib.suppress(RuntimeError):
            self._inner.release()

    def renew(self) -> None:
        self._inner = threading.RLock()


_living: weakref.WeakSet[Lock] = weakref.WeakSet()


def _renew_all() -> None:
    for each in list(_living):
        each.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
