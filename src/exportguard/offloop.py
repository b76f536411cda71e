"""Work of the guard beside an event loop: on a worker thread, with the context copied."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any, TypeVar

T = TypeVar("T")


def running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


async def off_loop(function: Callable[..., T], *arguments: Any) -> T:
    """Run *function* on a worker thread; in place on another loop than asyncio's, or when no thread is to be had."""
    work = _on_thread(running_loop(), copy_context(), function, *arguments)
    return function(*arguments) if work is None else await work


def _on_thread(
    loop: asyncio.AbstractEventLoop | None, context: Context, function: Callable[..., T], *arguments: Any
) -> asyncio.Future[T] | None:
    if loop is None:
        return None
    try:
        return loop.run_in_executor(None, lambda: context.run(function, *arguments))
    except RuntimeError:  # the interpreter ends, or may start no more threads
        return None


async def begin_off_loop(begin: Callable[..., object], *arguments: Any, undo: Callable[[], object]) -> None:
    """Judge and release a call as `off_loop`. One that is cancelled meanwhile was never sent: once *begin* is over,
    *undo* gives back what it reserved."""
    step = _Step(begin, arguments, undo)
    loop, context = running_loop(), copy_context()
    work = _on_thread(loop, context, step.run)
    if work is None:
        begin(*arguments)
        return
    try:
        # Not a task: a loop that ends cancels every task, also those that others wait for.
        await asyncio.shield(work)
    except asyncio.CancelledError:
        work.add_done_callback(_retrieved)
        if step.give_up() and _on_thread(loop, context, step.undo) is None:
            step.undo()
        raise


class _Step:
    """*begin* on its thread, where *undo* follows it if the call has been given up by then. The loop may be closed by
    the time it is over, so nothing of this is left to the loop."""

    def __init__(self, begin: Callable[..., object], arguments: tuple[Any, ...], undo: Callable[[], object]) -> None:
        self._begin, self._arguments, self.undo = begin, arguments, undo
        self._lock = threading.Lock()
        self._given_up = self._over = False

    def run(self) -> None:
        if self.given_up():
            return
        try:
            self._begin(*self._arguments)
        finally:
            with self._lock:
                self._over = True
            if self.given_up():
                self.undo()

    def given_up(self) -> bool:
        return self._given_up

    def give_up(self) -> bool:
        """Whether it is over already, so that whoever gives it up has to undo it."""
        with self._lock:
            self._given_up = True
            return self._over


def _retrieved(done: asyncio.Future[Any]) -> None:
    if not done.cancelled():
        done.exception()  # so that asyncio does not report it as lost
