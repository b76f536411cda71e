"""Is the log what was written? Every record against its leaf, every leaf against the tree, the tree against what was
signed or kept elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256

from exportguard.errors import InputError, RecordError
from exportguard.record.checkpoint import Checkpoint, Verifier
from exportguard.record.log import SqlLog, StoredRecord
from exportguard.record.merkle import Frontier
from exportguard.record.sweep import Finding, Sweep

__all__ = ["Finding", "Verification", "verify"]

_SEARCH = 100_000
"""How far behind a wrong record its own is looked for, to say that they were swapped."""


@dataclass(frozen=True, slots=True)
class Verification:
    """`size` records were read; `root` is the tree's over them. Nothing found is `intact`."""

    size: int
    root: bytes
    findings: tuple[Finding, ...]
    erased: int = 0
    """Records whose texts were erased, as the log itself says."""

    @property
    def intact(self) -> bool:
        return not self.findings


def verify(
    log: SqlLog,
    *,
    checkpoint: str | Checkpoint | None = None,
    verifier: Verifier | None = None,
    require_signed: bool = False,
) -> Verification:
    """Read the whole log and name whatever is not as it was written. Memory is flat.

    Args:
        checkpoint: a note kept elsewhere. Without one, a log rewritten as a whole by somebody who can write to the
            database is noticed only by signatures.
        verifier: the key that checkpoints have to be signed with.
        require_signed: a log without any checkpoint that *verifier* accepts is a finding.

    Raises:
        InputError: *checkpoint* is none.
    """
    kept = Checkpoint.parse(checkpoint) if isinstance(checkpoint, str) else checkpoint
    state = Sweep()
    own: list[Checkpoint] = []
    try:
        own = _stored_checkpoints(log, state)
        state.sizes = {each.size for each in own} | ({kept.size} if kept is not None else set())
        with ThreadPoolExecutor(1) as beside:
            file = beside.submit(log.damage)  # SQLite's own work: it takes nothing of the interpreter's time
            size, hashes = _read_all(log, state)
            _name_changes(log, state)
            _compare_erasures(state)
            _compare_state(size, hashes, state)
            _compare_contents(log, state)
            state.findings += [Finding("damaged", f"the file is damaged: {said}") for said in file.result()]
    except RecordError as error:
        state.findings.append(Finding("unreadable", str(error), state.last + 1))
        own = []
    signed = _compare_checkpoints(own, kept, verifier, state)
    if require_signed and not signed:
        said = "no checkpoint of the log is signed by the key that is asked for"
        state.findings.append(Finding("signature", said))
    erased = sum(last - first + 1 for first, last in state.erased)
    return Verification(state.frontier.size, state.frontier.root(), tuple(state.findings), erased)


def _stored_checkpoints(log: SqlLog, state: Sweep) -> list[Checkpoint]:
    own: list[Checkpoint] = []
    for note in log.checkpoints():
        try:
            own.append(Checkpoint.parse(note))
        except InputError:
            state.findings.append(Finding("checkpoint", "a checkpoint that the log keeps cannot be read"))
    return own


def _read_all(log: SqlLog, state: Sweep) -> tuple[int, bytes]:
    """Every record; and what the log says of itself at the end of them. Others may go on writing into it."""
    while True:
        state.read_on(log)
        size, hashes = log.state()
        if size <= state.last or not log.rows(state.last, 1):
            return size, hashes


def _compare_erasures(state: Sweep) -> None:
    """A text that is not there was erased, or else it was taken out."""
    covered = sorted(state.erasures)
    for first, last in state.erased:
        at = first
        for start, end in covered:
            if start <= at <= end:
                at = end + 1
        if at <= last:
            said = f"record {at} has no text any more, and no erasure of the log says so"
            state.findings.append(Finding("changed", said, at))


def _name_changes(log: SqlLog, state: Sweep) -> None:
    by_text = {text: sequence for sequence, _, text in state.changed}
    named: set[int] = set()
    for sequence, leaf, text in state.changed:
        other = by_text.get(leaf)
        if other is not None and other != sequence and (other, text) in [(s, stored) for s, stored, _ in state.changed]:
            if sequence not in named:
                said = f"records {sequence} and {other} were swapped"
                state.findings.append(Finding("swapped", said, sequence))
            named |= {sequence, other}
        else:
            said = f"record {sequence} was changed after it was written: its text does not have its leaf hash"
            state.findings.append(Finding("changed", said, sequence))
    if state.broken_at is None or state.broken_at < 1:
        return
    other = _found_later(log, state)
    if other is not None:
        said = f"records {state.broken_at} and {other} were swapped"
        state.findings.append(Finding("swapped", said, state.broken_at))
    else:
        said = f"record {state.broken_at} or one before it is not the one that was written there: the root does not fit"
        state.findings.append(Finding("rewritten", said, state.broken_at))


def _found_later(log: SqlLog, state: Sweep) -> int | None:
    """Where the record is that belongs to the place where the tree first does not fit."""
    assert state.broken_at is not None
    wanted: StoredRecord | None = None
    for stored in log.read(after=state.broken_at - 1, limit=_SEARCH):
        if wanted is None:
            wanted = stored
            continue
        tried = Frontier.from_bytes(state.before.size, state.before.to_bytes())
        tried.append(stored.leaf)
        if tried.root() in (wanted.root, stored.root):
            return stored.sequence
    return None


def _compare_state(size: int, hashes: bytes, state: Sweep) -> None:
    if size > state.last:
        said = f"the tail was cut: the log had {size} records, and the last one there is {state.last}"
        state.findings.append(Finding("cut", said, state.last + 1))
    elif size < state.last:
        said = f"{state.last - size} records were added past the log, or its state was put back to {size} records"
        state.findings.append(Finding("added", said, size + 1))
    elif not state.findings:
        try:
            fits = Frontier.from_bytes(size, hashes).root() == state.frontier.root()
        except ValueError:
            fits = False
        if not fits:
            state.findings.append(Finding("state", "the log's own note of its tree does not fit its records"))


_BY_BYTES = frozenset({"reference", "authorizations", "list"})
"""Kinds of content whose digest is over its bytes. That of policies is over what they mean: see `replay`."""


def _compare_contents(log: SqlLog, state: Sweep) -> None:
    for digest, kind in sorted(log.contents()):
        try:
            content = log.kept(digest)
        except RecordError as error:
            state.findings.append(Finding("content", str(error)))
            continue
        if kind in _BY_BYTES and f"sha256:{sha256(content or b'').hexdigest()}" != digest:
            said = f"the {kind} that the log keeps under {digest} were changed: they do not have that digest"
            state.findings.append(Finding("content", said))


def _compare_checkpoints(
    own: Sequence[Checkpoint], kept: Checkpoint | None, verifier: Verifier | None, state: Sweep
) -> bool:
    """Compare each checkpoint with the records; True when one is signed by *verifier*."""
    signed = False
    labelled = [(each, f"the log's checkpoint over {each.size} records") for each in own]
    if kept is not None:
        labelled.append((kept, f"the kept checkpoint over {kept.size} records"))
    for each, name in labelled:
        accepted = verifier is not None and each.signed_by(verifier)
        signed = signed or accepted
        if verifier is not None and not accepted:
            what = "is not signed" if not each.signatures else "is not signed by the key that is asked for"
            state.findings.append(Finding("signature", f"{name} {what}"))
        if each.size > state.frontier.size:
            said = f"the tail was cut: {name} is over more than the {state.frontier.size} that are there"
            state.findings.append(Finding("cut", said, state.frontier.size + 1))
        elif state.roots.get(each.size) != each.root:
            said = f"the log was rewritten: {name} does not fit the first {each.size} records"
            state.findings.append(Finding("rewritten", said))
    _compare_signing(own, kept, verifier, state)
    newest = max((each.size for each in own), default=0)
    readable = all(each.kind != "unreadable" for each in state.findings)
    if kept is not None and newest < kept.size and readable:
        # Whoever makes a checkpoint leaves it in the log as well.
        said = f"an old checkpoint was put in place of a newer one: the log's newest is over {newest} records"
        if not own:
            said = "the log's own checkpoints were taken out: it has none that can be read"
        state.findings.append(Finding("old", f"{said}, the kept one over {kept.size}"))
    return signed


def _compare_signing(
    own: Sequence[Checkpoint], kept: Checkpoint | None, verifier: Verifier | None, state: Sweep
) -> None:
    """Without a key nobody can say whose signatures they are, but that one was taken away shows beside others."""
    if verifier is not None:
        return
    ordered = sorted(own, key=lambda each: each.size)
    first_signed = next((each.size for each in ordered if each.signatures), None)
    for each in ordered:
        there = kept is not None and kept.signatures and each.size >= kept.size
        if not each.signatures and ((first_signed is not None and each.size > first_signed) or there):
            said = (
                f"the log's checkpoint over {each.size} records is not signed, and one before it, or the kept one, is"
            )
            state.findings.append(Finding("signature", said))
