"""What an answer says it used, and streams that say so at their end. No SDK in here."""

from __future__ import annotations

import atexit
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from exportguard.vocabulary.tokens import tokens_in, tokens_of

_COUNTED: Final = ("chat/completions", "completions", "responses", "embeddings", "images/", "audio/")
"""Endpoints whose answer is the whole of what was asked for: a job, or a run, has only begun when it is answered."""

End = Callable[[int | None], None]
_abandoned: deque[tuple[End, int | None]] = deque()
"""Streams that nobody read to their end. What they are settled with waits for the next call: a finalizer may run
anywhere, also where a lock of the ledger is held."""


def is_counted(operation: object) -> bool:
    """Whether the answer of *operation* tells what it used."""
    return isinstance(operation, str) and operation.startswith(_COUNTED)


def tells_at_its_end(operation: object, body: object) -> bool:
    """Whether a stream of *operation* ends with what it used."""
    if isinstance(operation, str) and operation.startswith("responses"):
        return True
    options = body.get("stream_options") if isinstance(body, Mapping) else None
    return isinstance(options, Mapping) and options.get("include_usage") is True


def used_by(answer: object) -> int | None:
    """The tokens that *answer* took: a parsed object, or a raw response that has been read."""
    http = getattr(answer, "http_response", None)
    if http is not None:
        # Asking it for a body that was not read would raise.
        return tokens_in(getattr(http, "__dict__", {}).get("_content"))
    return tokens_of(answer)


class Followed:
    """A stream's iterator, sync or async: passes on what comes, and tells at the end what it took.

    Args:
        inner: the stream's own iterator.
        end: called once, with the tokens, or None where the stream was not read to its end or did not say.
        off_loop: how an async stream runs *end*.
    """

    def __init__(self, inner: Any, end: End, off_loop: Callable[..., Awaitable[None]] | None = None) -> None:
        self._inner, self._off_loop = inner, off_loop
        self._end: End | None = end
        self._used: int | None = None

    def __iter__(self) -> Followed:
        return self

    def __aiter__(self) -> Followed:
        return self

    def __next__(self) -> Any:
        try:
            chunk = next(self._inner)
        except BaseException as error:
            end = self._taken()
            if end is not None:
                end(self._used if isinstance(error, StopIteration) else None)
            raise
        self._look(chunk)
        return chunk

    async def __anext__(self) -> Any:
        try:
            chunk = await self._inner.__anext__()
        except BaseException as error:
            end = self._taken()
            if end is not None and self._off_loop is not None:
                await self._off_loop(end, self._used if isinstance(error, StopAsyncIteration) else None)
            raise
        self._look(chunk)
        return chunk

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._inner, name)

    def _look(self, chunk: Any) -> None:
        with contextlib.suppress(Exception):  # whatever it is, it is the caller's
            answer = getattr(chunk, "response", None)
            used = tokens_of(answer if answer is not None else chunk)
            if used is not None:
                self._used = max(self._used or 0, used)

    def _taken(self) -> End | None:
        end, self._end = self._end, None
        return end

    def __del__(self) -> None:
        end = self.__dict__.get("_end")
        if end is not None:
            _abandoned.append((end, None))


@atexit.register
def settle_abandoned() -> None:
    """Settle the streams that were dropped before their end, without what they used."""
    with contextlib.suppress(IndexError):  # asked for and found empty: another thread may have taken the last one
        while True:
            end, used = _abandoned.popleft()
            end(used)
