"""A party of the symbolic request, with what the ownership cascade would answer about it."""

from __future__ import annotations

from typing import Any

from exportguard.authoring.proof.holdings import Holdings
from exportguard.authoring.proof.logic import B, both, conj, disj, either, neg, z3
from exportguard.authoring.proof.reading import NOBODY_KNOWS, Reading, plain
from exportguard.authoring.proof.terms import PartyTerm, Term
from exportguard.authoring.proof.unknowns import Unknowns
from exportguard.vocabulary.party import PartyKind, Role

_PARENT = ("name", "country", "headquarters")
REVIEWED = ("Huawei Tech", "China Electronics", "Tianjin University Hospital", "Sichuan Institute", "Rosneft Trading")
"""Names that a screening may leave open; the first that does stands for a party of known name and unknown listings."""


class Person:
    """One party slot."""

    def __init__(self, unknowns: Unknowns, index: int, there: B) -> None:
        self.index, self.there, self._unknowns = index, there, unknowns
        self.name = f"party{index}"
        self.role = unknowns.text(f"{self.name}.role", "role", "party.role")
        self._is_end_user = self._has_role(Role.END_USER)
        unknowns.wish(self._is_end_user)
        self.fields: dict[str, Term] = {"role": self.role}
        looks = unknowns.mentions.looks_at
        if looks("party.name") or unknowns.names_count:
            self.fields["name"] = unknowns.text(f"{self.name}.name", "text", "party.name")
        if looks("party.kind"):
            self.fields["kind"] = unknowns.text(f"{self.name}.kind", "party kind", "party.kind")
        if looks("party.country") or looks("party.subdivision"):
            self.fields["country"] = unknowns.country(f"{self.name}.country")
        if looks("party.subdivision"):
            self.fields["subdivision"] = unknowns.part_of(f"{self.name}.subdivision", self.fields["country"])
        if looks("party.headquarters"):
            self.fields["headquarters"] = unknowns.country(f"{self.name}.headquarters")
        if looks("party.ultimate_parent"):
            self.fields["ultimate_parent"] = self._parent()
        if looks("party.listings"):
            codes = frozenset(unknowns.reference.list_codes)
            self.fields["listings"] = unknowns.listed(f"{self.name}.listings", codes, unknowns.bounds.listings)
        if looks("party.restricted_ownership"):
            self.fields["restricted_ownership"] = self._restricted()
        if looks("party.verified"):
            self.fields["verified"] = unknowns.boolean(f"{self.name}.verified")
        natural = self._is_natural()
        self.holdings = Holdings(
            unknowns, self.name, natural, self.fields.get("ultimate_parent"), self.fields.get("restricted_ownership")
        )
        if "restricted_ownership" in self.fields:
            # Where owners are given, or there can be none, the guard works it out of them.
            settled = either(self.holdings.given, natural)
            unknowns.restrict(neg(both(self.fields["restricted_ownership"].open, settled)))
        self.term = Term("record", PartyTerm(self.fields, self.holdings.answers))

    def _has_role(self, role: Role) -> B:
        return both(neg(self.role.open), self._unknowns.operations.words.one_of(self.role.value, frozenset((role,))))

    def _is_natural(self) -> B:
        kind = self.fields.get("kind")
        if kind is None:
            return False
        return both(neg(kind.open), self._unknowns.operations.words.one_of(kind.value, frozenset((PartyKind.NATURAL,))))

    @property
    def end_user(self) -> B:
        """There, and known to be an end user: then none is added."""
        return both(self.there, self._is_end_user)

    @property
    def maybe_end_user(self) -> B:
        """There, and an end user or of unknown role: an authorization has to name it."""
        return both(self.there, either(self.role.open, self._is_end_user))

    @property
    def named(self) -> B:
        """An authorization can name this party: role and name are known."""
        name = self.fields.get("name")
        return False if name is None else conj((neg(self.role.open), neg(name.open)))

    def _parent(self) -> Term:
        unknowns, looks = self._unknowns, self._unknowns.mentions.looks_at
        fields: dict[str, Term] = {}
        for name in _PARENT:
            if looks(f"ultimate_parent.{name}"):
                path = f"{self.name}.ultimate_parent.{name}"
                fields[name] = (
                    unknowns.text(path, "text", "ultimate_parent.name") if name == "name" else unknowns.country(path)
                )
        return Term("record", fields, unknowns.open(f"{self.name}.ultimate_parent"))

    def _restricted(self) -> Term:
        unknowns, path = self._unknowns, f"{self.name}.restricted_ownership"
        null = unknowns.flag(f"{path}.null")
        unknowns.wish(null)
        percent = z3().Real(f"{path}.percent")
        unknowns.restrict(conj((percent >= -(10**15), percent <= 10**15)))
        unknowns.wish(conj((percent >= 0, percent <= 100)))
        fields = {
            "list": unknowns.text(f"{path}.list", "list code", ""),
            "percent": Term("number", percent, unknowns.open(f"{path}.percent")),
        }
        open_ = unknowns.open(path)
        unknowns.restrict(neg(both(open_, null)))
        return Term("record", fields, open_, null)

    def document(self, reading: Reading, name: str) -> dict[str, Any]:
        """The party as a document has it; *name* is used where no condition asks for another."""
        found: dict[str, Any] = {}
        if not reading.true(self.role.open):
            found["role"] = reading.text(self.role.value)
        listings = self.fields.get("listings")
        screened = listings is not None and reading.true(listings.open)
        given = self.fields.get("name")
        if given is not None and not reading.true(given.open):
            found["name"] = reading.text(given.value)
        elif given is None and not screened:
            found["name"] = name
        else:
            found["id"] = f"party-{self.index + 1}"  # two parties of whom nothing is known stay two
        for field in ("kind", "country", "headquarters"):
            _put(found, field, self.fields.get(field), reading)
        part = self.fields.get("subdivision")
        if part is not None and not reading.true(part.null):
            found["subdivision"] = NOBODY_KNOWS if reading.true(part.open) else reading.text(part.value)
        parent = self.fields.get("ultimate_parent")
        if parent is not None and not reading.true(parent.open):
            inner: dict[str, Any] = {}
            for field in _PARENT:
                _put(inner, field, parent.value.get(field), reading)
            found["ultimate_parent"] = inner
        if listings is None:
            found["listings"] = []
        elif not screened:
            found["listings"] = [
                "a list that nobody knows" if reading.true(slot.term.open) else reading.text(slot.term.value)
                for slot in listings.value
                if reading.true(slot.there)
            ]
        else:
            found["listings"] = NOBODY_KNOWS
        self._put_ownership(found, reading)
        verified = self.fields.get("verified")
        if verified is not None and not reading.true(verified.open):
            found["verified"] = reading.true(verified.value)
        return found

    def _put_ownership(self, found: dict[str, Any], reading: Reading) -> None:
        owners = self.holdings.document(reading)
        if owners is not None:
            found["owners"] = owners
        restricted = self.fields.get("restricted_ownership")
        if restricted is None or reading.true(restricted.open):
            return
        if reading.true(restricted.null):
            found["restricted_ownership"] = None
            return
        inner: dict[str, Any] = {}
        _put(inner, "list", restricted.value["list"], reading)
        percent = restricted.value["percent"]
        inner["percent"] = NOBODY_KNOWS if reading.true(percent.open) else plain(reading.number(percent.value))
        found["restricted_ownership"] = inner


def _put(found: dict[str, Any], name: str, term: Term | None, reading: Reading) -> None:
    """A text fact; what is unknown is left out, which says the same."""
    if term is not None and not reading.true(disj((term.open, term.null))):
        found[name] = reading.text(term.value)


def nobody(unknowns: Unknowns, there: B) -> tuple[B, Term]:
    """The end user that is added where none is named: nothing but its role is known."""
    fields: dict[str, Term] = {"role": Term("text", unknowns.operations.words.only(Role.END_USER.value))}
    for name in ("name", "kind", "country", "subdivision", "headquarters"):
        fields[name] = Term("text", "", True)
    parent = {name: Term("text", "", True) for name in _PARENT}
    fields["ultimate_parent"] = Term("record", parent)
    fields["listings"] = Term("list", (), True)
    restricted = {"list": Term("text", "", True), "percent": Term("number", 0, True)}
    fields["restricted_ownership"] = Term("record", restricted, True)
    fields["verified"] = Term("bool", False, True)
    answers = {question: Term("bool", False, True) for question in unknowns.mentions.questions}
    return there, Term("record", PartyTerm(fields, answers))
