"""The fact schema: the type of every path that a condition can name. Mirrors `vocabulary.scope`; a test holds it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from exportguard.language.types import BOOL, STRING, TIMESTAMP, Type, list_of, record

if TYPE_CHECKING:
    from exportguard.reference import ReferenceData


def _words(name: str, *, nullable: bool = False) -> Type:
    return Type("string", words=name, nullable=nullable)


def _number(
    unit: str,
    *,
    nullable: bool = False,
    kind: str = "double",
    most: float | None = None,
    suspicious: tuple[float, float] | None = None,
) -> Type:
    return Type(kind, nullable=nullable, unit=unit, least=0, most=most, suspicious=suspicious)


_PERCENT = _number("percent, 0 to 100", most=100, suspicious=(0, 1))
_OPTIONAL = Type("string", nullable=True)

RECORDS: dict[str, dict[str, Type]] = {
    "request": {
        "provider": _words("provider"),
        "service": _words("lowercase"),
        "operation": STRING,
        "action": _words("action"),
        "transfer": _words("transfer"),
        "account": STRING,
        "end_use": _words("word"),
        "time": TIMESTAMP,
        "red_flags": list_of(STRING),
        "items": list_of(record("item")),
        "parties": list_of(record("party")),
    },
    "item": {
        "kind": _words("item kind"),
        "name": STRING,
        "quantity": _number("instances, accelerators or tokens"),
        "eccn": _words("eccn"),
        "accelerator": Type("record", record="accelerator", nullable=True),
        "count": _number("accelerators", nullable=True),
        "total_tpp": _number("TPP", nullable=True, suspicious=(0, 100)),
        "instance_type": _OPTIONAL,
        "model": Type("record", record="model", nullable=True),
        "tokens": _number("tokens", nullable=True, kind="int"),
    },
    "accelerator": {
        "id": _words("accelerator id"),
        "family": _words("accelerator family"),
        "vendor": _words("lowercase"),
        "tpp": _number("TPP: dense TOPS times bit length", suspicious=(0, 100)),
        "performance_density": _number("TPP per mm2", suspicious=(1000, float("inf"))),
        "memory_bandwidth": _number("GB/s", suspicious=(0, 20)),
        "datacenter": BOOL,
    },
    "model": {
        "id": STRING,
        "family": _words("model family"),
        "provider": _words("model provider"),
        "provider_country": _words("country"),
        "weights": _words("weights"),
    },
    "party": {
        "role": _words("role"),
        "name": STRING,
        "kind": _words("party kind"),
        "country": _words("country"),
        "subdivision": _words("subdivision", nullable=True),
        "headquarters": _words("country"),
        "ultimate_parent": record("ultimate_parent"),
        "listings": list_of(_words("list code")),
        "restricted_ownership": Type("record", record="restricted_ownership", nullable=True),
        "verified": BOOL,
    },
    "ultimate_parent": {"name": STRING, "country": _words("country"), "headquarters": _words("country")},
    "restricted_ownership": {"list": _words("list code"), "percent": _PERCENT},
    "location": {
        "region": _words("region", nullable=True),
        "country": _words("country"),
        "subdivision": _words("subdivision", nullable=True),
        "cloud": _OPTIONAL,
        "certainty": _words("certainty"),
    },
    "usage": {
        "tokens": _number("tokens", kind="int"),
        "accelerators": _number("accelerators"),
        "tpp": _number("TPP", suspicious=(0, 100)),
    },
}
ROOTS = ("request", "item", "party", "location", "usage")
NOT_CONDITIONS = {
    "item": {"confidence", "index"},
    "party": {"ownership", "id", "customer", "index"},
    "location": {"index"},
}
"""Fields of the views that serve explanation and look-ups, and are no facts a rule may test."""

LIST_BOUND = 100
"""Elements that a list of facts is taken to have when the cost of a condition is estimated."""
LIST_LIMIT = 10_000
"""Elements of a list past which a condition is indeterminate rather than slow."""

ACCELERATOR_ONLY = frozenset({"item.accelerator", "item.count", "item.total_tpp", "item.instance_type"})
MODEL_ONLY = frozenset({"item.model", "item.tokens"})
OWNERSHIP_LISTS = "list code"


def field_type(path: str) -> Type | None:
    """The type of the fact that *path* names; None where it names none."""
    record, _, rest = path.partition(".")
    for name in rest.split(".") if rest else ():
        kind = RECORDS.get(record, {}).get(name)
        if kind is None or kind.kind != "record":
            return kind
        record = kind.record
    return None


class Vocabularies:
    """The closed vocabularies, from reference data and the enumerations of `vocabulary`."""

    def __init__(self, reference: ReferenceData) -> None:
        self.reference = reference

    @cached_property
    def group_names(self) -> frozenset[str]:
        return frozenset(self.reference.group_names)

    @cached_property
    def _sets(self) -> dict[str, Callable[[], frozenset[str]]]:
        from exportguard.vocabulary.item import ItemKind
        from exportguard.vocabulary.party import PartyKind, Role
        from exportguard.vocabulary.request import Action, Certainty, Transfer
        from exportguard.vocabulary.scope import NONE_OF_3A090

        ref = self.reference

        def enum(kind: Any) -> Callable[[], frozenset[str]]:
            return lambda: frozenset(member.value for member in kind)

        return {
            "country": lambda: frozenset(ref.countries),
            "eccn": lambda: frozenset(ref.eccns) | {NONE_OF_3A090},
            "accelerator id": lambda: frozenset(ref.accelerator_ids),
            "accelerator family": lambda: frozenset(ref.accelerator_families),
            "model family": lambda: frozenset(ref.model_families),
            "model provider": lambda: frozenset(ref.model_providers),
            "list code": lambda: frozenset(ref.list_codes),
            "provider": lambda: PROVIDERS,
            "region": self._regions,
            "action": enum(Action),
            "transfer": enum(Transfer),
            "role": enum(Role),
            "party kind": enum(PartyKind),
            "item kind": enum(ItemKind),
            "certainty": enum(Certainty),
            "weights": lambda: frozenset({"open", "closed"}),
        }

    def _regions(self) -> frozenset[str]:
        return frozenset().union(*(self.reference.region_names(p) for p in ("aws", "azure")))

    @cached_property
    def _cache(self) -> dict[str, frozenset[str]]:
        return {}

    def members(self, words: str) -> frozenset[str] | None:
        """Every word of a vocabulary; None where it is open but has a form (see `admits`)."""
        if words not in self._sets:
            return None
        if words not in self._cache:
            self._cache[words] = self._sets[words]()
        return self._cache[words]

    def is_a_word(self, text: str) -> bool:
        """Whether any closed vocabulary has this word."""
        return any(text in (self.members(words) or ()) for words in self._sets)

    def admits(self, words: str, text: str) -> bool:
        """Whether a fact of this vocabulary can ever be *text*."""
        members = self.members(words)
        if members is not None:
            return text in members
        if words == "word":
            return text == as_word(text)
        if words == "lowercase":
            return text == text.strip().lower()
        if words == "subdivision":
            head, dash, tail = text.partition("-")
            return bool(dash) and head in self._sets["country"]() and 1 <= len(tail) <= 3 and tail == tail.upper()
        return True

    def suggestion(self, words: str, text: str) -> str | None:
        """The member that *text* most likely means."""
        from difflib import get_close_matches

        if words == "word":
            return as_word(text)
        if words == "lowercase":
            return text.strip().lower()
        members = self.members(words)
        if words == "subdivision":
            return _SUBDIVISIONS.get(_fold(text))
        if members is None:
            return None
        meant = self._meaning(words, text)
        if meant in members:
            return meant
        if words == "country" and len(_fold(text)) > 2:
            return None  # no code is nearer to it than another
        folded = {_fold(member): member for member in sorted(members, reverse=True)}
        if _fold(text) in folded:
            return folded[_fold(text)]
        close = get_close_matches(_fold(text), sorted(folded), n=1, cutoff=0.6)
        return folded[close[0]] if close else None

    def _meaning(self, words: str, text: str) -> str | None:
        if words == "country":
            found = self.reference.country(text)
            return found if isinstance(found, str) else self.reference.country_like(text)
        if words in ("accelerator family", "accelerator id"):
            specs = self.reference.accelerators(text)
            names = sorted({spec.family if words == "accelerator family" else spec.id for spec in specs})
            return names[0] if names else None
        if words == "model family":
            fact = self.reference.model(None, text)
            family = getattr(fact, "family", None)
            return family if isinstance(family, str) else None
        if words in _CALLED:
            return _CALLED[words].get(text.strip().lower())
        return None


_CALLED = {
    "provider": {"amazon": "aws", "microsoft": "azure"},
    "list code": {
        "entity list": "EL", "bis entity list": "EL", "military end user list": "MEU", "military end user": "MEU",
        "unverified list": "UVL", "denied persons list": "DPL", "specially designated nationals": "SDN",
        "specially designated nationals list": "SDN", "ofac": "SDN", "ofac sdn": "SDN", "cmic": "NS-CMIC",
    },
    "role": {"reseller": "purchaser", "buyer": "purchaser"},
}  # fmt: skip
"""What members of small vocabularies are called elsewhere."""
_SUBDIVISIONS = {"crimea": "UA-43", "sevastopol": "UA-40", "donetsk": "UA-14", "dnr": "UA-14", "luhansk": "UA-09"}
_SUBDIVISIONS |= {"lugansk": "UA-09", "lnr": "UA-09", **{f"ua{n}": f"UA-{n}" for n in ("09", "14", "40", "43")}}
"""What a part of Ukraine is called (ISO 3166-2)."""

PROVIDERS = frozenset({"aws", "azure", "openai"})
"""Whose calls the adapters read; `request.provider` is lower case."""


def as_word(text: str) -> str:
    """The form that free words of a request are brought into: `AI training` is `ai_training`."""
    return "_".join(text.strip().lower().replace("-", " ").split())


def _fold(text: str) -> str:
    return "".join(ch for ch in text.lower() if ch.isalnum())
