"""The macros over lists, as `language.macros` has them."""

from __future__ import annotations

from collections.abc import Sequence

from exportguard.authoring.proof.logic import B, both, conj, disj, neg
from exportguard.authoring.proof.terms import Slot, Term, UnsupportedError, fails, holds, undecided


def run_macro(kind: str, slots: Sequence[Slot], answers: Sequence[tuple[Term, ...]], keep_open: bool) -> Term:
    """*answers* are the bodies asked of each slot, in order."""
    tests = [(slot.there, answer[0]) for slot, answer in zip(slots, answers, strict=True)]
    if kind in ("exists", "all"):
        decides = holds if kind == "exists" else fails
        settled = disj(both(there, decides(test)) for there, test in tests)
        open_ = both(neg(settled), disj(both(there, undecided(test)) for there, test in tests))
        return Term("bool", settled if kind == "exists" else neg(settled), open_)
    if kind == "exists_one":
        return Term(
            "bool",
            _exactly_one([both(there, holds(test)) for there, test in tests]),
            disj(both(there, undecided(test)) for there, test in tests),
        )
    if kind == "filter":
        kept = tuple(Slot(both(s.there, holds(a[0])), s.term) for s, a in zip(slots, answers, strict=True))
        return Term("list", kept, disj(both(there, undecided(test)) for there, test in tests))
    if kind == "map":
        return _map(slots, answers, keep_open)
    raise UnsupportedError(f"the macro `{kind}`")


def _map(slots: Sequence[Slot], answers: Sequence[tuple[Term, ...]], keep_open: bool) -> Term:
    made: list[Slot] = []
    open_: list[B] = []
    for slot, answer in zip(slots, answers, strict=True):
        there = slot.there
        if len(answer) > 1:
            open_.append(both(there, undecided(answer[0])))
            there = both(there, holds(answer[0]))
        if not keep_open:
            open_.append(both(there, answer[-1].open))
        made.append(Slot(there, answer[-1]))
    return Term("list", tuple(made), disj(open_))


def _exactly_one(parts: Sequence[B]) -> B:
    return disj(conj((part, *(neg(other) for j, other in enumerate(parts) if j != i))) for i, part in enumerate(parts))
