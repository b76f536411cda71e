"""A location of the symbolic request: what a region says of its country, and places that are only possible."""

from __future__ import annotations

from typing import Any

from exportguard.authoring.proof.logic import B, both, conj, disj, neg
from exportguard.authoring.proof.reading import NOBODY_KNOWS, Reading
from exportguard.authoring.proof.terms import Cases, Term, Word
from exportguard.authoring.proof.unknowns import Unknowns
from exportguard.reference import RegionFact
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.request import Certainty


class Place:
    """One location slot."""

    def __init__(self, unknowns: Unknowns, index: int, there: B, provider: Term | None) -> None:
        self.there, self._unknowns = there, unknowns
        self.name = f"location{index}"
        looks = unknowns.mentions.looks_at
        self.country = unknowns.country(f"{self.name}.country")
        self.possible = unknowns.flag(f"{self.name}.possible")
        unknowns.wish(neg(self.possible))
        certainty = Cases(((self.possible, Certainty.POSSIBLE.value), (neg(self.possible), Certainty.DECLARED.value)))
        self.fields: dict[str, Term] = {"country": self.country, "certainty": Term("text", certainty)}
        if looks("location.cloud"):
            self.fields["cloud"] = unknowns.text(
                f"{self.name}.cloud", "text", "location.cloud", nullable=unknowns.flag(f"{self.name}.cloud.null")
            )
        if looks("location.subdivision"):
            self.fields["subdivision"] = unknowns.part_of(f"{self.name}.subdivision", self.country)
        if any(looks(f"location.{name}") for name in ("region", "cloud")):
            null = unknowns.flag(f"{self.name}.region.null")
            region = unknowns.text(f"{self.name}.region", "region", "location.region", nullable=null)
            self.fields["region"] = region
            self._bind(region, provider)
        self.term = Term("record", self.fields)

    def _bind(self, region: Term, provider: Term | None) -> None:
        """A region that is known lies in its country, whatever else is stated, and its cloud is never absent."""
        unknowns = self._unknowns
        words = unknowns.operations.words
        names = region.value.domain if isinstance(region.value, Word) else unknowns.vocabulary("region")
        for name in sorted(names):
            known = both(conj((neg(region.open), neg(region.null))), words.one_of(region.value, frozenset((name,))))
            for read, fact in self._facts(name, provider):
                here = both(read, known)
                country = words.one_of(self.country.value, frozenset((fact.country,)))
                unknowns.restrict(disj((neg(here), both(neg(self.country.open), country))))
                if "cloud" in self.fields:
                    unknowns.restrict(disj((neg(here), neg(self.fields["cloud"].null))))

    def _facts(self, name: str, provider: Term | None) -> list[tuple[B, RegionFact]]:
        """What the region is, by whose name it is taken for."""
        reference, words = self._unknowns.reference, self._unknowns.operations.words
        aws, azure = reference.region("aws", name), reference.region("azure", name)
        found: list[tuple[B, RegionFact]] = []
        if provider is None:
            fact = azure if isinstance(aws, Unknown) else aws
            return [] if isinstance(fact, Unknown) else [(True, fact)]

        def is_for(cloud: str) -> B:
            return both(neg(provider.open), words.one_of(provider.value, frozenset((cloud,))))

        if not isinstance(aws, Unknown):
            found.append((disj((provider.open, is_for("aws"))), aws))
        if not isinstance(azure, Unknown):
            either_cloud = is_for("azure")
            found.append((disj((provider.open, either_cloud)) if isinstance(aws, Unknown) else either_cloud, azure))
        return found

    def document(self, reading: Reading) -> dict[str, Any]:
        found: dict[str, Any] = {}
        region = self.fields.get("region")
        if region is not None:
            if reading.true(region.null):
                found["region"] = None
            elif not reading.true(region.open):
                found["region"] = reading.text(region.value)
        if not reading.true(self.country.open):
            found["country"] = reading.text(self.country.value)
        for name in ("cloud", "subdivision"):
            term = self.fields.get(name)
            if term is not None and not reading.true(term.null):
                found[name] = NOBODY_KNOWS if reading.true(term.open) else reading.text(term.value)
        if reading.true(self.possible):
            found["certainty"] = Certainty.POSSIBLE.value
        return found


def nowhere(there: B) -> tuple[B, Term]:
    """The place that is asked about where none is named."""
    fields = {name: Term("text", "", True) for name in ("region", "country", "cloud")}
    fields["subdivision"] = Term("text", "", null=True)
    fields["certainty"] = Term("text", Certainty.DECLARED.value)
    return there, Term("record", fields)
