"""Random conditions of the profile, as text, and random facts to ask them over. One `Random` in, one value out."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from random import Random
from typing import Any

from exportguard.language import Scope
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.questions import OwnershipQuestion
from exportguard.vocabulary.scope import RestrictedOwnershipView, UsageView
from language_standin import WORLD, accelerator, item, location, model_item, parent, party, request

COUNTRY_PATHS = ("party.country", "party.headquarters", "party.ultimate_parent.headquarters", "location.country")
TEXT_PATHS = ("party.name", "item.name", "item.accelerator.vendor", "request.account", "party.ultimate_parent.name")
DOUBLES = ("item.count", "item.quantity", "item.accelerator.tpp", "usage.accelerators")
INTS = ("usage.tokens", "item.tokens", "size(party.listings)", "size(party.name)", "size(request.parties)")
BOOLS = ("party.verified", "item.accelerator.datacenter", 'owned(party, ["EL"], ">=", 50)', "true", "false")
TIMES = ("request.time", 'timestamp("2024-02-29T12:30:00Z")', "timestamp(1700000000)")
SPANS = ('duration("36h")', 'duration("90m")', 'duration("-1.5s")', "(request.time - timestamp(0))")
COUNTRIES = ("CN", "US", "IR", "MO", "HK")
WORDS = ("", "a", "ab", "shenzhen university", "nvidia", "深圳大学", "a.b")
WHOLES = (-3, -1, 0, 1, 2, 3, 7, 20, 1000, 2**62, -(2**63), 2**63 - 1)
REALS = ("0.0", "1.0", "2.5", "100.0", "4800.0", "1e300", "-7.25", "9007199254740993.0")
ORDERS = ("<", "<=", ">", ">=", "==", "!=")
FIXED = (
    '"EL" in party.listings', 'party.listings == ["EL"]', 'party.listings[0] == "EL"', "has(party.name)",
    "has(item.model)", "has(party.ultimate_parent.name)", "has(item.tokens)", "has(item.accelerator.tpp)",
    "request.parties.map(q, q.country) == ['CN']", "'CN' in request.parties.map(q, q.headquarters)",
    "size(request.parties.filter(q, q.country == 'CN')) > 0", "item.tokens == null", "item.model.family == 'claude'",
    "['a', party.name] == [item.name, 'a']", "request.parties[0].country == 'CN'",
    "request.parties.map(q, q.verified, q.name) == ['ab']", "(party.listings + ['EL']).exists(l, l == 'EL')",
    "string(item.count) == '16'", "int('12') == usage.tokens", "[usage.tokens, 1.0] == [1, 1]",
)  # fmt: skip


def text(r: Random) -> str:
    one = r.choice(TEXT_PATHS) if r.random() < 0.6 else f'"{r.choice(WORDS)}"'
    return f"({one} + {text(r)})" if r.random() < 0.15 else one


def whole(r: Random, depth: int) -> str:
    if depth == 0 or r.random() < 0.4:
        return r.choice(INTS) if r.random() < 0.5 else str(r.choice(WHOLES))
    match r.randrange(5):
        case 0 | 1:
            return f"({whole(r, depth - 1)} {r.choice('+-*/%')} {whole(r, depth - 1)})"
        case 2:
            return f"-({whole(r, depth - 1)})"
        case 3:
            inner = real(r, depth - 1)
            # A literal that no int holds is refused when it is read; one that is worked out is met when it is asked.
            return f"int({inner} + 0.0)" if inner == "1e300" else f"int({inner})"
    return f"{r.choice(TIMES)}.{r.choice(('getFullYear', 'getDayOfWeek', 'getHours', 'getMonth', 'getDayOfYear'))}()"


def real(r: Random, depth: int) -> str:
    if depth == 0 or r.random() < 0.4:
        return r.choice(DOUBLES) if r.random() < 0.6 else r.choice(REALS)
    if r.random() < 0.7:
        return f"({real(r, depth - 1)} {r.choice('+-*/')} {real(r, depth - 1)})"
    return f"double({whole(r, depth - 1)})"


def clause(r: Random, bound: str) -> str:
    paths = (*COUNTRY_PATHS, f"{bound}.country", f"{bound}.headquarters") if bound else COUNTRY_PATHS
    country = r.choice(paths)
    number = (lambda: whole(r, 2)) if r.random() < 0.5 else (lambda: real(r, 2))
    other = (lambda: whole(r, 1)) if r.random() < 0.5 else (lambda: real(r, 1))
    match r.randrange(10):
        case 0:
            return r.choice(BOOLS)
        case 1:
            return f'{country} {r.choice(("==", "!="))} "{r.choice(COUNTRIES)}"'
        case 2:
            return f'{country} in country_group("{r.choice(("D:5", "E:1", "A:5"))}")'
        case 3:
            members = [f'"{c}"' for c in r.sample(COUNTRIES, 2)] + [r.choice(paths)] * r.randrange(2)
            return f"{country} in [{', '.join(members)}]"
        case 4:
            return f"{number()} {r.choice(ORDERS)} {other()}"
        case 5:
            return f"{text(r)} {r.choice(ORDERS)} {text(r)}"
        case 6:
            return f"{text(r)}.{r.choice(('startsWith', 'endsWith', 'contains'))}({text(r)})"
        case 7:
            return f'{text(r)}.matches("{r.choice(("^a", "[0-9]+", "Univ.*y$", "."))}")'
        case 8:
            pool = TIMES if r.random() < 0.5 else SPANS
            return f"{r.choice(pool)} {r.choice(ORDERS)} {r.choice(pool)}"
    if r.random() < 0.3:
        return (
            f'party.listings.{r.choice(("exists", "all", "exists_one"))}(l, l.startsWith("{r.choice(("", "E", "M"))}"))'
        )
    return r.choice(FIXED)


def condition(r: Random, depth: int = 3, bound: str = "") -> str:
    """A well-typed condition; *bound* is a macro variable over parties in sight."""
    if depth == 0 or r.random() < 0.25:
        return clause(r, bound)

    def inner() -> str:
        return condition(r, depth - 1, bound)

    match r.randrange(8):
        case 0 | 1:
            return "(" + " && ".join(inner() for _ in range(r.randint(2, 4))) + ")"
        case 2 | 3:
            return "(" + " || ".join(inner() for _ in range(r.randint(2, 4))) + ")"
        case 4:
            return f"!({inner()})"
        case 5:
            return f"(({inner()}) ? ({inner()}) : ({inner()}))"
        case 6:
            return f"(({inner()}) {r.choice(('==', '!='))} ({inner()}))"
    if bound:
        return inner()
    return f"request.parties.{r.choice(('exists', 'all', 'exists_one'))}(p, {condition(r, depth - 1, 'p')})"


NUMBERS = (0.0, 1.0, 2.5, 8.0, 16.0, 4800.0)
QUESTION = OwnershipQuestion(("EL",), ">=", Fraction(50))


def known_party(r: Random) -> Any:
    return party(
        country=r.choice(COUNTRIES),
        headquarters=r.choice(COUNTRIES),
        ultimate_parent=parent(headquarters=r.choice(COUNTRIES), name=r.choice(WORDS)),
        name=r.choice(WORDS),
        listings=tuple(r.choice(("EL", "MEU")) for _ in range(r.randrange(3))),
        verified=r.random() < 0.5,
        restricted_ownership=r.choice((None, RestrictedOwnershipView("EL", 50.0))),
        ownership={QUESTION: r.random() < 0.5},
    )


def known_scope(r: Random) -> Scope:
    """Every fact known; the item is an accelerator item, which has no model and no tokens, or a model item."""
    chip = accelerator(tpp=r.choice(NUMBERS), datacenter=r.random() < 0.5, vendor=r.choice(WORDS))
    thing = item(accelerator=chip, count=r.choice(NUMBERS), quantity=r.choice(NUMBERS))
    return Scope(
        world=WORLD,
        request=request(parties=tuple(known_party(r) for _ in range(r.randrange(4)))),
        item=thing if r.random() < 0.7 else model_item(),
        party=known_party(r),
        location=location(country=r.choice(COUNTRIES)),
        usage=UsageView(r.randrange(6), r.choice(NUMBERS), 0.0),
    )


def places(view: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a view that can be hidden: fields, whole records, elements, answers to ownership questions."""
    found: list[tuple[Any, ...]] = []
    if is_dataclass(view):
        for field in fields(view):
            value = getattr(view, field.name)
            if value is not None and field.name not in ("index", "confidence", "customer"):
                found += [(*at, field.name), *places(value, (*at, field.name))]
    elif isinstance(view, tuple):
        for index, part in enumerate(view):
            found += [(*at, index), *places(part, (*at, index))]
    elif isinstance(view, dict):
        found += [(*at, key) for key in view]
    return found


def hide(view: Any, path: tuple[Any, ...]) -> Any:
    """The view with what is at *path* unknown."""
    if isinstance(view, Unknown) or not path:
        return Unknown("hidden")
    head, rest = path[0], path[1:]
    if isinstance(view, tuple):
        return (*view[:head], hide(view[head], rest), *view[head + 1 :])
    if isinstance(view, dict):
        return {**view, head: hide(view[head], rest)}
    if head == "ownership" and not rest:
        return replace(view, ownership={})
    return replace(view, **{head: hide(getattr(view, head), rest)})


ROOTS = ("request", "item", "party", "location", "usage")


def hidden(r: Random, scope: Scope) -> Scope:
    """*scope* with a few facts, or whole records, hidden."""
    views = {root: getattr(scope, root) for root in ROOTS}
    for _ in range(r.randint(1, 5)):
        root = r.choice(ROOTS)
        if not isinstance(views[root], Unknown):
            choices = places(views[root])
            views[root] = hide(views[root], r.choice(choices) if r.random() < 0.95 else ())
    return Scope(world=scope.world, **views)
