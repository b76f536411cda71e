"""Locks that a forked child finds free, and that no exception leaves taken.

A pre-forking server may fork while another of its threads holds one, and that thread is not in the child to let it go.
"""

from __future__ import annotations

import os
import weakref
from _thread import RLock


class Lock(RLock):  # type: ignore[misc]  # final in the stubs only
    """`threading.RLock` by `with`, for what is kept in memory alone: a child goes on with what it finds there.

    Both ends of the `with` are C's own. In methods of Python, what a signal or another thread raises (a time limit, an
    interrupt) could arrive between taking and the block, and every thread would then wait for ever.
    """

    def __init__(self) -> None:
        _living.add(self)

    def renew(self) -> None:
        # Whoever forked while holding it goes on in the child, and lets go of it there.
        if not self._is_owned():  # type: ignore[attr-defined]
            self._at_fork_reinit()  # type: ignore[attr-defined]


_living: weakref.WeakSet[Lock] = weakref.WeakSet()


def _renew_all() -> None:
    for each in list(_living):
        each.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
