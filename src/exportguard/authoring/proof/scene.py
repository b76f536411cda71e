"""The symbolic request: every request within the bounds, as terms; and the document behind a model of it."""

from __future__ import annotations

from datetime import datetime
from itertools import combinations
from typing import Any

from exportguard.authoring.proof import times
from exportguard.authoring.proof.catalogue import Row
from exportguard.authoring.proof.goods import Goods
from exportguard.authoring.proof.logic import B, both, conj, disj, neg, z3
from exportguard.authoring.proof.mentions import Mentions
from exportguard.authoring.proof.operations import Operations
from exportguard.authoring.proof.people import Person, nobody
from exportguard.authoring.proof.places import Place, nowhere
from exportguard.authoring.proof.reading import NOBODY_KNOWS, Reading, plain
from exportguard.authoring.proof.terms import Slot, Term
from exportguard.authoring.proof.unknowns import LARGEST, Bounds, Unknowns
from exportguard.reference import ReferenceData
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.questions import UsageQuestion, UsageReading

_TEXTS = {
    "provider": "provider", "service": "lowercase", "operation": "text", "action": "action", "transfer": "transfer",
    "account": "text", "end_use": "word",
}  # fmt: skip
_USAGE = ("tokens", "accelerators", "tpp")


class Scene:
    """One symbolic request.

    `items`, `parties` and `locations` are what rules are asked over: the slots, and what is added where a request
    names no end user or no place. `restrictions` hold of every request; `wishes` make a counterexample readable.
    """

    def __init__(
        self,
        reference: ReferenceData,
        as_of: datetime,
        mentions: Mentions,
        bounds: Bounds,
        operations: Operations,
        kinds: tuple[Row, ...],
        *,
        names_count: bool = False,
    ) -> None:
        unknowns = Unknowns(reference, as_of, mentions, operations, bounds, names_count=names_count)
        self.unknowns, self.operations, self._mentions = unknowns, operations, mentions
        self._texts = {
            name: unknowns.text(f"request.{name}", words, f"request.{name}")
            for name, words in _TEXTS.items()
            if mentions.looks_at(f"request.{name}")
        }
        provider = self._texts.get("provider")
        self._goods = [
            Goods(unknowns, kinds, index, there, provider)
            for index, there in enumerate(unknowns.prefix("items", bounds.items, least=1))
        ]
        self._people = [
            Person(unknowns, i, there) for i, there in enumerate(unknowns.prefix("parties", bounds.parties))
        ]
        self._places = [
            Place(unknowns, index, there, provider)
            for index, there in enumerate(unknowns.prefix("locations", bounds.locations))
        ]
        self._distinct_names()
        nobody_named = neg(disj(person.end_user for person in self._people))
        no_place = neg(disj(place.there for place in self._places))
        self._nobody = nobody(unknowns, nobody_named)
        self.items = [(goods.there, goods.term) for goods in self._goods]
        self.parties = [*((person.there, person.term) for person in self._people), self._nobody]
        self.locations = [*((place.there, place.term) for place in self._places), nowhere(no_place)]
        self.request = Term("record", self._request())
        self._readings: dict[UsageQuestion, dict[str, Term]] = {}
        self._usages: dict[UsageQuestion, Term] = {}
        unknowns.restrict(self._transfer())

    @property
    def restrictions(self) -> list[B]:
        return self.unknowns.restrictions

    @property
    def wishes(self) -> list[B]:
        return self.unknowns.wishes

    def _request(self) -> dict[str, Term]:
        unknowns, mentions = self.unknowns, self._mentions
        fields: dict[str, Term] = dict(self._texts)
        if mentions.looks_at("request.time"):
            value = z3().Int("request.time")
            unknowns.restrict(conj((value >= times.FIRST, value <= times.LAST)))
            unknowns.wish(value == times.micros(unknowns.as_of))
            fields["time"] = Term("time", value, unknowns.open("request.time"))
        if mentions.looks_at("request.red_flags"):
            flags = unknowns.prefix("request.red_flags", unknowns.bounds.red_flags)
            name = "request.red_flags"
            slots = tuple(
                Slot(there, Term("text", unknowns.text_value(f"{name}[{index}]", "text", name)))
                for index, there in enumerate(flags)
            )
            for one, other in combinations(slots, 2):  # a flag is raised once
                unknowns.restrict(
                    neg(conj((other.there, self.operations.words.equal(one.term.value, other.term.value))))
                )
            fields["red_flags"] = Term("list", slots, unknowns.open("request.red_flags"))
        fields["items"] = Term("list", tuple(Slot(there, term) for there, term in self.items))
        fields["parties"] = Term("list", tuple(Slot(there, term) for there, term in self.parties))
        return fields

    def _transfer(self) -> B:
        """A known operation of a cloud that hands hardware over is an export, whatever the document says."""
        if not {"provider", "operation", "transfer"} <= self._texts.keys():
            return True
        from exportguard.authoring.proof.transfers import exporting

        words = self.operations.words
        provider, operation, transfer = (self._texts[name] for name in ("provider", "operation", "transfer"))
        service = self._texts.get("service")
        clouds = both(neg(provider.open), words.one_of(provider.value, frozenset(("aws", "azure", "openai"))))
        known = both(clouds, neg(operation.open))
        hardware = exporting(words, operation, service)
        export = both(neg(transfer.open), words.one_of(transfer.value, frozenset(("export",))))
        return disj((neg(both(known, hardware)), export))

    def _distinct_names(self) -> None:
        """Parties of one role and name are one party to the guard."""
        words = self.operations.words
        for index, one in enumerate(self._people):
            for other in self._people[index + 1 :]:
                if "name" in one.fields:
                    named = conj((one.named, other.named, one.there, other.there))
                    roles = words.equal(one.role.value, other.role.value)
                    names = words.equal(one.fields["name"].value, other.fields["name"].value)
                    self.unknowns.restrict(neg(conj((named, roles, names))))

    # -- authorizations

    @property
    def end_users_named(self) -> B:
        """Whether an authorization can name every end user of the request."""
        return both(neg(self._nobody[0]), conj(disj((neg(p.maybe_end_user), p.named)) for p in self._people))

    def can_be_named(self, index: int) -> B:
        """Whether an authorization can name the party of a combination, by its index in `parties`."""
        return self._people[index].named if index < len(self._people) else False

    # -- usage

    def usage(self, question: UsageQuestion) -> Term:
        """Cumulative use for one `per`: what the ledger read, which is free, and what this request adds."""
        if question not in self._usages:
            self._usages[question] = Term("record", self._usage(question))
        return self._usages[question]

    def _usage(self, question: UsageQuestion) -> dict[str, Term]:
        module, unknowns = z3(), self.unknowns
        label = f"usage.{question.by}.{question.period}"
        readings: dict[str, Term] = {}
        added: dict[str, Term] = {}
        for name, of in zip(_USAGE, ("tokens", "count", "total_tpp"), strict=True):
            value = module.Int(f"{label}.{name}") if name == "tokens" else module.Real(f"{label}.{name}")
            unknowns.restrict(conj((value >= 0, value <= LARGEST)))
            unread = unknowns.flag(f"{label}.{name}.open")
            unknowns.wish(unread)  # the command line reads no ledger unless told to
            unknowns.wish(value == 0)
            readings[name] = Term("number", value, unread)
            total, open_ = value, [readings[name].open]
            for there, item in self.items:
                amount, kind = item.value.get(of), item.value["kind"]
                if amount is None:
                    continue
                other = "accelerator" if name == "tokens" else "model"
                excluded = both(neg(kind.open), self.operations.words.one_of(kind.value, frozenset((other,))))
                counted = both(there, neg(excluded))
                open_.append(both(counted, amount.open))
                inner = both(counted, neg(amount.null))
                # Where no rule asks how much there is, what was read before is as free as the sum.
                if inner is not False and self._goods[0].counted:
                    total = total + module.If(inner, amount.value, 0)
            if name != "tokens" and total is not value:
                total = self.operations.arithmetic.rounded(total)
            added[name] = Term("number", total, disj(open_))
        self._readings[question] = readings
        return added

    # -- the way back

    def document(self, reading: Reading) -> dict[str, Any]:
        """The request document behind a model."""
        found: dict[str, Any] = {}
        for name, term in self._texts.items():
            if not reading.true(term.open):
                found[name] = reading.text(term.value)
        request = self.request.value
        if "time" in request and not reading.true(request["time"].open):
            moment = times.moment(reading.whole(request["time"].value))
            found["time"] = moment.isoformat().replace("+00:00", "Z")
        flags = request.get("red_flags")
        if flags is not None:
            values = [reading.text(slot.term.value) for slot in flags.value if reading.true(slot.there)]
            found["red_flags"] = NOBODY_KNOWS if reading.true(flags.open) else values
        read = [term for terms in self._readings.values() for term in terms.values()]
        nothing = 0 if any(not reading.true(term.open) for term in read) else None
        found["items"] = [goods.document(reading, nothing) for goods in self._goods if reading.true(goods.there)]
        found["locations"] = [place.document(reading) for place in self._places if reading.true(place.there)]
        found["parties"] = [
            person.document(reading, f"Example Company {index}")
            for index, person in enumerate(self._people, 1)
            if reading.true(person.there)
        ]
        return found

    def readings(self, reading: Reading) -> dict[UsageQuestion, UsageReading]:
        """What the ledger would have to hold for a model."""
        found = {}
        for question, terms in self._readings.items():
            values = [
                Unknown("nobody knows") if reading.true(term.open) else plain(reading.number(term.value))
                for term in terms.values()
            ]
            found[question] = UsageReading(*values)  # type: ignore[arg-type]
        return found
