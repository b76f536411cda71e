"""A bar where work is long: on a terminal only, on standard error, and gone when the work is done."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def progress(what: str, total: int | None, *, least: int = 20) -> Iterator[Callable[[], None]]:
    """A function to call after each of *total* steps (None: nobody knows how many).

    Fewer than *least* steps show nothing, and neither does a pipe.
    """
    if not sys.stderr.isatty() or (total is not None and total < least):
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


def counted(what: str, things: Iterable[T], *, least: int = 50) -> Iterator[T]:
    """*things* as they are, with a bar once there are more than *least* of them."""
    with ExitStack() as stack:
        step: Callable[[], None] | None = None
        for number, thing in enumerate(things, 1):
            yield thing
            if step is None and number > least:
                step = stack.enter_context(progress(what, None))
            if step is not None:
                step()
