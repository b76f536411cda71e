"""Work of the guard beside an event loop: on a worker thread, with the context copied."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, TypeVar

T = TypeVar("T")


def running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


async def off_loop(function: Callable[..., T], *arguments: Any) -> T:
    """Run *function* on a worker thread; on another loop than asyncio's, in place."""
    loop = running_loop()
    if loop is None:
        return function(*arguments)
    context = copy_context()
    return await loop.run_in_executor(None, lambda: context.run(function, *arguments))


async def begin_off_loop(begin: Callable[..., object], *arguments: Any, undo: Callable[[], object]) -> None:
    """Judge and release a call as `off_loop`. One that is cancelled meanwhile was never sent: once *begin* is over,
    *undo* gives back what it reserved."""
    work = asyncio.ensure_future(off_loop(begin, *arguments)) if running_loop() is not None else None
    if work is None:
        begin(*arguments)
        return
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        work.add_done_callback(lambda done: _undo(done, undo))
        raise


def _undo(done: asyncio.Future[object], undo: Callable[[], object]) -> None:
    if not done.cancelled():
        done.exception()  # retrieved, so that asyncio does not report it as lost
    undo()
