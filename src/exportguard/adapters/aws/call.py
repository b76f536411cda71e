"""One SDK call under observation: reading its parameters without trusting their types, and gathering its items.

Nothing here raises on strange parameters. What cannot be read becomes an item that is unknown, never nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from fractions import Fraction
from functools import cache, lru_cache
from math import ceil
from typing import Any

from exportguard.adapters.aws.lookup import NO_RESOLVER, Question, Resolver
from exportguard.vocabulary import (
    NOT_GIVEN,
    Action,
    Item,
    ItemKind,
    Location,
    Maybe,
    Transfer,
    Unknown,
)
from exportguard.vocabulary.building import built

MOST_ITEMS = 2000
"""More items than any real call names; past it one unknown item stands for the rest."""
DEEPEST = 12
"""How deep calls may nest in documents (a state machine that creates a stack that …)."""


def get(source: Any, *names: str) -> Any:
    """The first of *names* in *source*, in either spelling of the first letter (`InstanceType`, `instanceType`)."""
    if type(source) is not dict and not isinstance(source, Mapping):
        return None
    for name in names:
        value = source.get(name)
        if value is None:
            value = source.get(_other(name))
        if value is not None:
            return value
    return None


@cache
def _other(name: str) -> str:
    """*name* with its first letter in the other case."""
    return name[:1].swapcase() + name[1:]


def text(value: Any, what: str) -> Maybe[str]:
    """*value* if it is a text that a fact can hold, else `Unknown` naming *what* was unreadable."""
    if isinstance(value, Unknown):
        return value
    if isinstance(value, str) and 0 < len(value) <= 2000:
        if value.__class__ is not str:
            return _bare(value, what)
        if value.isascii():
            return value
        try:
            value.encode()
        except UnicodeEncodeError:
            return Unknown(f"{what} is not valid text")
        return value
    return Unknown(f"{what} is not readable as text")


def _bare(value: str, what: str) -> Maybe[str]:
    """A text of a class of its own: as it stands, unless it says something else when it is written out."""
    plainly = str.__str__(value)
    if not isinstance(value, Enum) and str(value) != plainly:
        return Unknown(f"{what} is written otherwise than it reads")
    return text(plainly, what)


def number(value: Any, what: str) -> Maybe[int]:
    """A count. CloudFormation and JSON documents write numbers as text; a fraction is rounded up."""
    if type(value) is int and 0 <= value <= 10**15:
        return value
    if isinstance(value, Unknown):
        return value
    if value is None:
        return Unknown(f"{what} is not given")
    if isinstance(value, str) and value.isascii() and len(value) <= 15:
        try:
            value = float(value) if "." in value else int(value)
        except ValueError:
            return Unknown(f"{what} is not a number")
    if isinstance(value, float) and 0 <= value <= 10**15:
        value = ceil(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**15:
        return value
    return Unknown(f"{what} is not a number of things")


def most(*counts: Maybe[int] | None) -> Maybe[int]:
    """The worst case of several counts, each of which may be absent (None). Unknown if one is, or all are absent."""
    largest: int | None = None
    for count in counts:
        if count is None:
            continue
        if isinstance(count, Unknown):
            return count
        if largest is None or count > largest:
            largest = count
    return NOT_GIVEN if largest is None else largest


def times(count: Maybe[int], factor: Maybe[int]) -> Maybe[int]:
    if isinstance(count, Unknown):
        return count
    if isinstance(factor, Unknown):
        return factor
    product = count * factor
    return product if product <= 10**15 else Unknown("more than can be counted")


def weighted(capacity: Maybe[int], weight: Any, what: str) -> Maybe[int]:
    """Instances that fill *capacity* when each of them counts *weight* (rounded up, as AWS overshoots)."""
    if weight is None or isinstance(capacity, Unknown):
        return capacity
    try:
        units = Fraction(str(weight))
    except (ValueError, ZeroDivisionError):
        return Unknown(f"{what} is not a number")
    if units <= 0:
        return Unknown(f"{what} is not positive")
    return ceil(capacity / units)


class OneOf(Unknown):
    """A value that only the deployment decides, out of a closed list: each of `values` is judged."""

    __slots__ = ("values",)

    values: tuple[str, ...]

    def __init__(self, reason: str, values: Iterable[str]) -> None:
        super().__init__(reason)
        object.__setattr__(self, "values", tuple(values))


_PLAIN = re.compile(r"[^a-z0-9]+")


@lru_cache(maxsize=8192)
def plain(key: str) -> str:
    """A key without its spelling: `instancetype` of `InstanceType`, `instance_type` and `INSTANCE-TYPE `."""
    return _PLAIN.sub("", unicodedata.normalize("NFKC", key[:100]).lower())


def misspelt(source: Any, name: str) -> str | None:
    """A key of *source* that says *name* in another spelling (`instance_type`, `INSTANCETYPE`, a stray space).

    botocore would reject it; a document that was written by hand means something by it, so it may not be passed over.
    """
    if not isinstance(source, Mapping):
        return None
    wanted = name.lower()
    for key in source:
        if not isinstance(key, str) or key in (name, _other(name)):
            continue
        if plain(key) == wanted:
            return key
    return None


@lru_cache(maxsize=4096)
def _machines(named: Maybe[str], instances: Maybe[int], where: str) -> Item:
    """One item for equal ones: what was derived of it and decided on it is then found again by its identity."""
    return built(Item, kind=ItemKind.ACCELERATOR, instance_type=named, instances=instances, where=where)


_MOST = 10**15
"""Of anything, as `vocabulary.fact.Count` has it."""


class Call:
    """One call, and what was found in it so far. Extractors read `parameters` and add items, places and the action."""

    __slots__ = (
        "account", "action", "depth", "items", "locations", "operation", "outside", "parameters", "region", "resolver",
        "seen", "service", "transfer", "zones",
    )  # fmt: skip

    def __init__(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        region: str | None = None,
        resolver: Resolver | None = None,
        depth: int = 0,
    ) -> None:
        self.service, self.operation, self.parameters = service, operation, parameters
        self.region = region
        self.resolver = resolver or NO_RESOLVER
        self.depth = depth
        self.items: list[Item] = []
        self.locations: list[Location] = []
        self.zones: list[str] = []
        self.seen: list[Any] = []
        """What was looked up and says where things stand, beside the parameters."""
        self.action: Action = Action.PROVISION
        self.transfer: Transfer = Transfer.REMOTE_ACCESS
        self.account: str | None = None
        self.outside: str | None = None

    # -- reading -------------------------------------------------------------------------------------------------

    def get(self, *names: str) -> Any:
        return get(self.parameters, *names)

    def struct(self, value: Any, where: str) -> Mapping[str, Any]:
        """*value* as a structure. Absent is empty; another type is an unknown item."""
        if type(value) is dict or isinstance(value, Mapping):
            return value
        if value is None:
            return {}
        self.unknown(value.reason if isinstance(value, Unknown) else f"{where} is not a structure", where)
        return {}

    def entries(self, value: Any, where: str) -> Iterator[tuple[str, Any]]:
        """The elements of a list with the place of each. Absent is empty; another type is an unknown item."""
        if value is None:
            return
        if isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray)):
            for index, element in enumerate(value):
                yield f"{where}[{index}]", element
            return
        self.unknown(value.reason if isinstance(value, Unknown) else f"{where} is not a list", where)

    def rows(self, value: Any, where: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The structures of a list. An element of another type is an unknown item."""
        for place, element in self.entries(value, where):
            if isinstance(element, Mapping):
                yield place, element
            elif element is not None:
                self.unknown(f"{place} is not a structure", place)

    # -- finding -------------------------------------------------------------------------------------------------

    def add(self, item: Item) -> None:
        if len(self.items) < MOST_ITEMS:
            self.items.append(item)
        elif len(self.items) == MOST_ITEMS:
            self.items.append(Item(kind=Unknown("the call names too many things")))

    def instance(self, value: Any, instances: Maybe[int] = NOT_GIVEN, *, where: str) -> None:
        """An instance type, raw, with the number of instances in the worst case."""
        if value.__class__ is OneOf:
            for each in value.values:
                self.instance(each, instances, where=where)
            return
        named, place = text(value, where), where[:2000]
        # What the document's class would find of these is found at once; anything else it is asked about.
        if place and (instances.__class__ is Unknown or (instances.__class__ is int and 0 <= instances <= _MOST)):
            self.add(_machines(named, instances, place))
        else:
            self.add(Item(kind=ItemKind.ACCELERATOR, instance_type=named, instances=instances, where=place))

    def accelerator(self, value: Any, count: Maybe[int] = NOT_GIVEN, *, where: str) -> None:
        """Accelerators named directly, not by what they run in; *count* of them in all."""
        self.add(Item(kind=ItemKind.ACCELERATOR, accelerator=text(value, where), count=count, where=where[:2000]))

    def model(self, value: Any, tokens: Maybe[int] = NOT_GIVEN, *, where: str, name: str | None = None) -> None:
        self.add(
            Item(
                kind=ItemKind.MODEL,
                model=text(value, where),
                tokens=tokens,
                where=where[:2000],
                name=name[:2000] if name else None,
            )
        )

    def unresolved(self, reason: str, where: str, *, instances: Maybe[int] = NOT_GIVEN) -> None:
        """Something that runs on an instance type nobody could read."""
        self.instance(Unknown(reason[:2000]), instances, where=where)

    def unknown(self, reason: str, where: str) -> None:
        """Something of which not even the kind is known."""
        self.add(Item(kind=Unknown(reason[:2000]), where=where[:2000] or None))

    def not_applicable(self, reason: str) -> None:
        """Why the call is outside although its operation is not. Holds only while no item was found."""
        self.outside = reason

    def zone(self, value: Any) -> None:
        """An availability zone, local zone or zone id that the call places something in."""
        if value is None or value == "":
            return
        name = text(value, "the availability zone")
        if isinstance(name, Unknown) or len(name) > 200:
            self.place(Location(region=Unknown("the availability zone is not readable")))
        elif name.strip():
            self.zones.append(name.strip())

    def place(self, location: Location) -> None:
        if location not in self.locations:
            self.locations.append(location)

    def outpost(self, value: Any) -> None:
        """Hardware at a customer's site: the thing itself goes to the party, and nobody knows where it stands."""
        if value:
            self.transfer = Transfer.EXPORT
            self.place(Location(region=Unknown("an Outpost stands at its owner's site")))

    def ask(self, service: str, operation: str, *, immutable: bool = False, **parameters: Any) -> Any:
        """What the resolver says, or `Unknown`. A resolver that raises knows nothing."""
        question = Question(service, operation, parameters, self.region, immutable)
        try:
            answer: Any = self.resolver.ask(question)
        except Exception as problem:  # noqa: BLE001 - an injected resolver is not ours; its failure is a missing fact
            return Unknown(f"looking up {service}.{operation} failed: {type(problem).__name__}")
        if isinstance(answer, (Mapping, Unknown)):
            return answer
        return Unknown(f"looking up {service}.{operation} gave nothing readable")

    def nested(self, service: str, operation: str, parameters: Any, where: str) -> None:
        """A call inside a document (a state machine's task, a stack's resource), judged as if it were made now."""
        from exportguard.adapters.aws.operations import extract

        if self.depth >= DEEPEST:
            self.unknown(f"{where} is nested too deeply to read", where)
            return
        if not isinstance(parameters, Mapping):
            self.unknown(f"{where} is not readable", where)
            return
        inner = Call(service, operation, parameters, region=self.region, resolver=self.resolver, depth=self.depth + 1)
        extract(inner)
        for item in inner.items:
            place = f"{where}.{item.where}" if item.where else where
            self.add(item.model_copy(update={"where": place[:2000]}))
        for location in inner.locations:
            self.place(location)
        self.zones += inner.zones
        if inner.transfer is Transfer.EXPORT:
            self.transfer = Transfer.EXPORT
