"""The macros over lists, in three answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from exportguard.language.evaluation import Indeterminate, Scope
from exportguard.language.values import failure, merged

Bodies = Sequence[Callable[[Scope, Any], Any]]


def _truth(value: Any) -> Any:
    if value is True or value is False or value.__class__ is Indeterminate:
        return value
    return failure("a macro's condition needs true or false")


def _any(deciding: bool) -> Callable[..., Any]:
    """`exists` is a long `||`, `all` a long `&&`: one deciding element settles it, whatever is open elsewhere."""

    def run(parts: tuple[Any, ...], bodies: Bodies, scope: Scope, env: Any, keep_open: bool) -> Any:
        body = bodies[0]
        open_: list[Any] = []
        for index, part in enumerate(parts):
            value = _truth(body(scope, (*env, (part, index))))
            if value is deciding:
                return deciding
            if value.__class__ is Indeterminate:
                open_.append(value)
        return merged(*open_) if open_ else not deciding

    return run


def _exists_one(parts: tuple[Any, ...], bodies: Bodies, scope: Scope, env: Any, keep_open: bool) -> Any:
    """Open as soon as one element is, as CEL's fails as soon as one does; absorbing it would not be monotone."""
    answers = [_truth(bodies[0](scope, (*env, (part, index)))) for index, part in enumerate(parts)]
    if any(answer.__class__ is Indeterminate for answer in answers):
        return merged(*answers)
    return sum(answer is True for answer in answers) == 1


def _filter(parts: tuple[Any, ...], bodies: Bodies, scope: Scope, env: Any, keep_open: bool) -> Any:
    answers = [_truth(bodies[0](scope, (*env, (part, index)))) for index, part in enumerate(parts)]
    if any(answer.__class__ is Indeterminate for answer in answers):
        return merged(*answers)
    return tuple(part for part, answer in zip(parts, answers, strict=True) if answer is True)


def _map(parts: tuple[Any, ...], bodies: Bodies, scope: Scope, env: Any, keep_open: bool) -> Any:
    """With two bodies the first one filters. An open element stays in the list where it is a plain fact."""
    made: list[Any] = []
    *tests, transform = bodies
    for index, part in enumerate(parts):
        inner = (*env, (part, index))
        if tests:
            answer = _truth(tests[0](scope, inner))
            if answer is False:
                continue
            if answer is not True:
                # Whether the element is in the list is open, and so is the list.
                return merged(
                    answer, *(_truth(tests[0](scope, (*env, (p, i)))) for i, p in enumerate(parts) if i > index)
                )
        made.append(transform(scope, inner))
    if not keep_open and any(value.__class__ is Indeterminate for value in made):
        return merged(*made)
    return tuple(made)


MACROS: dict[str, Callable[..., Any]] = {
    "exists": _any(True), "all": _any(False), "exists_one": _exists_one, "filter": _filter, "map": _map,
}  # fmt: skip
