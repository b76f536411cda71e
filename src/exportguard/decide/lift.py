"""Authorizations: the one matcher for every path."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from functools import lru_cache
from itertools import product
from unicodedata import normalize

from exportguard.decide.derive import Facts
from exportguard.errors import ExportguardError
from exportguard.language import CompiledCondition, CompiledRule, Scope, World
from exportguard.reference import ReferenceData
from exportguard.vocabulary.authorization import Authorization, AuthorizedParty, unapproved
from exportguard.vocabulary.decision import Lifted
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.party import Role
from exportguard.vocabulary.scope import ItemView, PartyView

_ROOTS = ("item", "party", "location")


class Lifter:
    """Which authorization, if any, lifts a rule's finding. Built for one decision.

    An authorization lifts a combination only if its kind is admitted by the rule, it is in force, it was approved
    by somebody other than the requester, it names every end user of the request and the party of the combination,
    and its scope is *surely* true for every expansion by the roots that the scope names.
    """

    def __init__(
        self,
        authorizations: Sequence[Authorization],
        reference: ReferenceData,
        facts: Facts,
        as_of: datetime,
        request_fingerprint: str | None,
    ) -> None:
        self._facts = facts
        self._world = World(reference, as_of)
        self._usable: list[tuple[Authorization, CompiledCondition]] = []
        self._advice: list[str] = []
        for entry in sorted(authorizations, key=_narrowness):
            refusal = _unusable(entry, as_of, request_fingerprint)
            if refusal is None:
                scope = _scope(entry.scope, reference)
                if scope is None:
                    refusal = "its scope cannot be read"
                else:
                    self._usable.append((entry, scope))
            if refusal is not None and self._names_end_users(entry):
                self._advice.append(f"authorization {entry.id} lifts nothing: {refusal}")

    def advice(self) -> tuple[str, ...]:
        """Why authorizations that name this end user lift nothing."""
        return tuple(self._advice)

    def lift(self, rule: CompiledRule, scope: Scope) -> Lifted | None:
        """The narrowest authorization that lifts *rule* for the combination in *scope*, or None."""
        if not rule.authorizable_by:
            return None
        for entry, condition in self._usable:
            if entry.kind.value not in rule.authorizable_by or not self._names_end_users(entry):
                continue
            party = scope.party
            if isinstance(party, PartyView) and not any(_is_named(party, p) for p in entry.parties):
                continue
            if not self._surely_covers(condition, scope):
                continue
            drawn = self._quantity(entry, condition)
            if entry.quantity is not None and not (drawn and _measures(entry.quantity.unit, scope.item)):
                # A licence for tokens says nothing of chips: drawing none of it for them, it would never be used up.
                note = "the quantity asked for is not known" if drawn is None else "its unit does not measure this item"
                self._advice.append(f"authorization {entry.id} lifts nothing: {note}")
                continue
            if entry.quantity is not None and (drawn is None or drawn > entry.quantity.limit):
                note = "the quantity asked for is not known" if drawn is None else "its quantity is too small"
                self._advice.append(f"authorization {entry.id} lifts nothing: {note}")
                continue
            unit = entry.quantity.unit if entry.quantity is not None else None
            return Lifted(authorization=entry.id, rule=f"{rule.policy}/{rule.id}", unit=unit, quantity=drawn)
        return None

    def _names_end_users(self, entry: Authorization) -> bool:
        users = [
            party for party in self._facts.parties if isinstance(party.role, Unknown) or party.role == Role.END_USER
        ]
        return bool(users) and all(any(_is_named(user, named) for named in entry.parties) for user in users)

    def _surely_covers(self, condition: CompiledCondition, scope: Scope) -> bool:
        facts = self._facts
        every: dict[str, Sequence[object]] = {
            "item": facts.items,
            "party": facts.parties,
            "location": facts.locations,
        }
        choices: list[Sequence[object]] = []
        for root in _ROOTS:
            fixed = getattr(scope, root)
            if fixed is not None:
                choices.append((fixed,))
            else:
                choices.append(every[root] if root in condition.roots else (None,))
        if "usage" in condition.roots:
            return False
        return all(
            condition(
                Scope(
                    request=facts.request,
                    item=item,
                    party=party,
                    location=location,
                    usage=None,
                    world=self._world,
                )
            )
            is True
            for item, party, location in product(*choices)
        )

    def _quantity(self, entry: Authorization, condition: CompiledCondition) -> float | None:
        """What this request draws, in the authorization's unit: of every item, never of fewer than it asks for."""
        if entry.quantity is None:
            return None
        total: float = 0
        for item in self._facts.items:
            amount = _amount(item, entry.quantity.unit)
            if amount is None or isinstance(amount, Unknown):
                return None
            total += amount
        return total


@lru_cache(maxsize=4096)
def _scope(text: str, reference: ReferenceData) -> CompiledCondition | None:
    """The scope of an authorization, compiled once; None for text that is none."""
    from exportguard.language import compile_scope  # the parser: imported by those who have authorizations

    try:
        return compile_scope(text, reference, name="scope")
    except ExportguardError:
        return None


def _measures(unit: str, item: object) -> bool:
    """Whether *unit* counts what *item* is; a rule that is not asked over items has none, and any unit may do."""
    if not isinstance(item, ItemView):
        return True
    if unit in ("accelerators", "tpp"):
        return item.kind == "accelerator"
    return item.kind == "model" if unit == "tokens" else True


def _amount(item: ItemView, unit: str) -> float | Unknown | None:
    if unit == "accelerators":
        return 0 if item.kind == "model" else item.count
    if unit == "tpp":
        return 0 if item.kind == "model" else item.total_tpp
    if unit == "tokens":
        return 0 if item.kind == "accelerator" else item.tokens
    if unit == "units":
        return item.quantity
    return None  # gpu_hours: a call to provision says nothing of hours


def _narrowness(entry: Authorization) -> tuple[bool, int, float, str]:
    limit = float(entry.quantity.limit) if entry.quantity is not None else float("inf")
    return (entry.request_fingerprint is None, -entry.scope.count("&&"), limit, entry.id)


def _unusable(entry: Authorization, as_of: datetime, fingerprint: str | None) -> str | None:
    why = unapproved(entry)
    if why is not None:
        return why
    if not any(party.role is Role.END_USER for party in entry.parties):
        return "it names no end user"
    if entry.request_fingerprint is not None and entry.request_fingerprint != fingerprint:
        return "it was approved for another request"
    start, end = entry.effective.from_, entry.effective.until
    if start is not None and as_of < _instant(start):
        return f"not in force before {start}"
    if end is not None and as_of >= _instant(end):
        return f"expired on {end}"
    return None


def _instant(value: date | datetime) -> datetime:
    if isinstance(value, datetime):
        return value
    return datetime.combine(value, time.min, tzinfo=UTC)


def _tidy(text: str) -> str:
    return " ".join(normalize("NFKC", text).casefold().split())


def _is_named(party: PartyView, named: AuthorizedParty) -> bool:
    """By name in the same role; by customer id only for a party that *is* that customer (not one behind it)."""
    if party.role != named.role.value:
        return False
    if named.id is not None:
        return party.id == named.id
    if named.name is not None:
        if not isinstance(party.name, str) or _tidy(party.name) != _tidy(named.name):
            return False
        return named.customer is None or party.customer == named.customer or party.id == named.customer
    if named.customer is None:
        return False
    if party.role == Role.END_USER:
        return party.id == named.customer
    return named.customer in (party.id, party.customer)
