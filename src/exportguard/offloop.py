"""Work of the guard beside an event loop: on a worker thread, with the context copied."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any, TypeVar, cast

from exportguard.forks import Lock

T = TypeVar("T")


def running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


async def off_loop(function: Callable[..., T], *arguments: Any) -> T:
    """Run *function* on a worker thread; in place on another loop than asyncio's, or when no thread is to be had."""
    loop = running_loop()
    if loop is None:
        return function(*arguments)
    return cast("T", await _on_thread(loop, _Step(copy_context(), functools.partial(function, *arguments))))


async def begin_off_loop(begin: Callable[..., object], *arguments: Any, undo: Callable[[], object]) -> None:
    """Judge and release a call as `off_loop`. One that is cancelled meanwhile was never sent: once *begin* is over,
    *undo* gives back what it reserved."""
    loop = running_loop()
    if loop is None:
        begin(*arguments)
        return
    step = _Step(copy_context(), functools.partial(begin, *arguments), undo)
    work = _on_thread(loop, step)
    try:
        # Not a task: a loop that ends cancels every task, also those that others wait for.
        await asyncio.shield(work)
    except asyncio.CancelledError:
        work.add_done_callback(_retrieved)
        if step.give_up():
            _on_thread(loop, _Step(copy_context(), undo)).add_done_callback(_retrieved)
        raise


def _on_thread(loop: asyncio.AbstractEventLoop, step: _Step) -> asyncio.Future[Any]:
    try:
        return loop.run_in_executor(None, step.run)
    except RuntimeError:
        # The interpreter ends, or may start no more threads. One that there is may find the work all the same.
        if step.take():
            step.run_taken()
        return asyncio.wrap_future(step.result, loop=loop)


class _Step:
    """Work that is done once, by whoever takes it. *undo* follows it if it has been given up by then: the loop may be
    closed when it is over, so nothing of this is left to the loop."""

    def __init__(self, context: Context, work: Callable[[], object], undo: Callable[[], object] | None = None) -> None:
        self._context, self._work, self._undo = context, work, undo
        self._lock = Lock()
        self._taken = self._given_up = self._over = False
        self.result: concurrent.futures.Future[Any] = concurrent.futures.Future()

    def take(self) -> bool:
        with self._lock:
            taken, self._taken = self._taken, True
        return not taken

    def run(self) -> object:
        if self.take():
            self.run_taken()
        return self.result.result()

    def run_taken(self) -> None:
        if self.given_up():
            self.result.set_result(None)
            return
        try:
            self.result.set_result(self._context.run(self._work))
        except BaseException as error:  # noqa: BLE001  (whoever waits for it has it)
            self.result.set_exception(error)
        with self._lock:
            self._over = True
            undo = self._undo if self.given_up() else None
        if undo is not None:
            self._context.run(undo)

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
