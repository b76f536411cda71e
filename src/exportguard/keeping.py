"""What a record refers to by digest is kept by content in the same log, so that a decision can be taken again."""

from __future__ import annotations

import json
import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from exportguard.draft import State
from exportguard.vocabulary import FactSource

if TYPE_CHECKING:
    from exportguard.record import DecisionLog

_LIST = "sha256 "

_kept: weakref.WeakKeyDictionary[Any, set[str]] = weakref.WeakKeyDictionary()


def keep(log: DecisionLog, state: State, sources: Iterable[FactSource] = ()) -> None:
    """Keep the policy texts, reference data, authorizations and screening list behind a decision, each once.

    A log of the user's own that has no `keep` keeps records alone. Raises RecordError.
    """
    put = getattr(log, "keep", None)
    if put is None:
        return
    try:
        done = _kept.setdefault(log, set())
    except TypeError:  # a log that cannot be referred to weakly: each content is offered again
        done = set()
    wanted = {state.policies.digest: "policies", state.reference.digest: "reference"}
    if state.authorizations_digest is not None:
        wanted[state.authorizations_digest] = "authorizations"
    for source in sources:
        if source.path == "listings" and _LIST in source.source:
            wanted["sha256:" + source.source.rpartition(_LIST)[2].removeprefix("sha256:")] = "list"
    for digest, kind in wanted.items():
        if digest in done:
            continue
        content = _content(kind, digest, state)
        if content is not None:
            put(digest, kind, content)
        done.add(digest)


def _content(kind: str, digest: str, state: State) -> bytes | None:
    if kind == "policies":
        texts = [{"name": source.name, "text": source.text} for source in state.sources]
        return json.dumps(texts, ensure_ascii=False).encode() if texts else None
    if kind == "reference":
        return state.reference.content
    if kind == "authorizations":
        return state.authorizations_content
    from exportguard.parties.screening.listfile import digest_of

    source_of = getattr(state.screener, "source_of", None)
    path = source_of(digest.removeprefix("sha256:")) if source_of is not None else None
    if path is None:
        return None
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    # The file may have been refreshed since it was loaded; then the list that was asked is not to be had any more.
    return raw if f"sha256:{digest_of(raw).removeprefix('sha256:')}" == digest else None
