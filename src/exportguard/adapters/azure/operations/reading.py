"""How items are read from a body: paths as data, and the few ways they are put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

from exportguard.adapters.azure.address import Address
from exportguard.adapters.azure.resolve import Resolver
from exportguard.adapters.azure.tree import Many, Tree, plant, straight, walk
from exportguard.vocabulary.building import built
from exportguard.vocabulary.fact import NOT_GIVEN, Maybe, Unknown
from exportguard.vocabulary.item import Item, ItemKind
from exportguard.vocabulary.request import Action, Location, Transfer

ACCELERATOR: Final = ItemKind.ACCELERATOR
MODEL: Final = ItemKind.MODEL
_MOST: Final = 10**12
_MOST_LOOKUPS: Final = 20


@dataclass(slots=True)
class Call:
    """One ARM call being judged: the address, the body as a tree, and who can look things up."""

    method: str
    address: Address
    body: Tree
    resolver: Resolver | None = None
    context: dict[str, Tree] | None = None
    """What a template knows of its surroundings: `locations` by resource type."""
    _known: Tree = None
    _others: dict[str, Tree] | None = None

    def known(self, ident: str | None = None) -> Tree:
        """The resource (or the one with the id *ident*) as it is now, or `Unknown`."""
        if ident is None and self._known is not None:
            return self._known
        if self._others is None:
            self._others = {}
        if ident is not None and ident.lower() in self._others:
            return self._others[ident.lower()]
        found: Tree
        if self.resolver is None:
            found = Unknown("only a look-up could tell, and there is none")
        elif len(self._others) >= _MOST_LOOKUPS:
            found = Unknown("the call names more than is looked up for one")
        else:
            answer = self.resolver.read(ident or self.address.id, self.address.cloud)
            found = answer if isinstance(answer, Unknown) else plant(answer)
        if ident is None:
            self._known = found
        else:
            self._others[ident.lower()] = found
        return found

    def location(self, ident: str | None = None) -> Maybe[str]:
        """Where the resource (or the one with the id *ident*) stands; a resolver may keep its answers for a while."""
        ask = getattr(self.resolver, "location", None)
        if ask is not None and (ident is not None or self._known is None):
            found: Maybe[str] = ask(ident or self.address.id, self.address.cloud)
            return found
        current = self.known(ident)
        if isinstance(current, Unknown):
            return current
        named = [text(value, where) for where, value in walk(current, "location")]
        return named[0] if named else Unknown("the resource names no location")


Items: TypeAlias = Sequence[Item] | None
"""None: the call touches no size, capacity or model. An empty one: it is known to provision none."""
Reader: TypeAlias = Callable[[Call], Items]
Counter: TypeAlias = Callable[[Tree], Maybe[int]]
Places: TypeAlias = Callable[[Call], tuple[Location, ...]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the surface. `places` None: the body's location, the parent's, or unknown."""

    name: str
    action: Action
    read: Reader
    transfer: Transfer = Transfer.REMOTE_ACCESS
    places: Places | None = None


def text(value: Tree, where: str) -> Maybe[str]:
    """A name as it is sent, without surrounding space; anything that is no name is unknown."""
    if isinstance(value, str):
        if len(value) <= 2000 and (stripped := value.strip()):
            return stripped
    elif isinstance(value, Unknown):
        return value
    return Unknown(f"`{where}` is not a name"[:2000])


def whole(value: Tree, where: str) -> Maybe[int]:
    """A count; the service takes a number in quotes as well."""
    if isinstance(value, Unknown):
        return value
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 16:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST:
        return value
    return Unknown(f"`{where}` is not a number"[:2000])


def largest(node: Tree, *paths: str) -> Maybe[int] | None:
    """The largest count at any of *paths*; None when none is there."""
    found: list[int] = []
    for path in paths:
        for where, value in walk(node, path):
            number = whole(value, where)
            if isinstance(number, Unknown):
                return number
            found.append(number)
    return max(found) if found else None


def most(*paths: str) -> Counter:
    """The most that the call allows for. Zero is no bound: what starts at none is scaled out by the service."""

    def count(node: Tree) -> Maybe[int]:
        found = largest(node, *paths)
        if found is None:
            return Unknown("no number is given")
        if not isinstance(found, Unknown) and found == 0:
            return Unknown("starts at none and can be scaled out")
        return found

    return count


def total(*paths: str) -> Counter:
    """The sum of what stands at *paths* (spot and regular capacity, dedicated and low-priority nodes)."""

    def count(node: Tree) -> Maybe[int]:
        parts = [part for part in (largest(node, path) for path in paths) if part is not None]
        known = [part for part in parts if not isinstance(part, Unknown)]
        if len(known) != len(parts) or not known or sum(known) == 0:
            return Unknown("the number is not given, or starts at none and can be scaled out")
        return sum(known)

    return count


@lru_cache(maxsize=1024)
def machine(size: Maybe[str], count: Maybe[int] = NOT_GIVEN, where: str | None = None) -> Item:
    return built(Item, kind=ACCELERATOR, instance_type=size, instances=count, where=where or None)


def chip(name: Maybe[str], count: Maybe[int] = NOT_GIVEN, where: str | None = None) -> Item:
    return built(Item, kind=ACCELERATOR, accelerator=name, count=count, where=where or None)


def model(name: Maybe[str], where: str | None = None, label: str | None = None) -> Item:
    return Item(kind=MODEL, model=name, where=where or None, name=label)


def unknown(why: str, *, kind: ItemKind | None = None) -> Item:
    """An item of which nothing is known but that there is one."""
    reason = Unknown(why[:2000])
    if kind is MODEL:
        return Item(kind=MODEL, model=reason)
    if kind is ACCELERATOR:
        return Item(kind=ACCELERATOR, instance_type=reason)
    return Item(kind=reason)


def nodes(tree: Tree, path: str) -> Iterator[tuple[str, Tree]]:
    """Like `walk`, with an absent root standing for an empty object."""
    if path:
        return walk(tree, path)
    return iter([("", {} if tree is None else tree)])


def sizes(
    *paths: str, each: str = "", count: Counter | None = None, root: Counter | None = None, missing: str | None = None
) -> Reader:
    """Machines by their size: under every node at *each*, every value at *paths* is one item.

    `count` reads a node's number (left out: one), `root` the body's; `missing` says why a node that names no size is
    an unknown item (left out: such a node is not about sizes).
    """

    alone = not each and len(paths) == 1 and root is None

    def read(call: Call) -> Items:
        if alone:  # the commonest shape, without the search
            size = straight(call.body, paths[0])
            if size is not ... and size is not None:
                return [machine(text(size, paths[0]), count(call.body) if count is not None else 1, paths[0])]
        found: list[Item] = []
        for at, node in nodes(call.body, each):
            if isinstance(node, Unknown):
                found.append(unknown(node.reason, kind=ACCELERATOR))
                continue
            number = root(call.body) if root is not None else count(node) if count is not None else 1
            named = [
                machine(text(value, where), number, f"{at}.{where}" if at else where)
                for path in paths
                for where, value in walk(node, path)
            ]
            if not named and missing is not None:
                named = [machine(Unknown(missing), number, at)]
            found += named
        return found or None

    return read


def first_of(*readers: Reader) -> Reader:
    """The first reader that finds something."""

    def read(call: Call) -> Items:
        for reader in readers:
            found = reader(call)
            if found is not None:
                return found
        return None

    return read


def both(*readers: Reader) -> Reader:
    """What all readers find together."""
    first, *others = readers
    if not others:
        return first
    second = both(*others)

    def read(call: Call) -> Items:
        found, besides = first(call), second(call)
        return found if besides is None else besides if found is None else [*found, *besides]

    return read


def always(why: str, kind: ItemKind | None = None) -> Reader:
    """An operation that opens the door to anything, whatever its body says."""
    return lambda call: [unknown(why, kind=kind)]


def as_it_is(whole_resource: Reader, count: Counter | None = None, when: Sequence[str] = ()) -> Reader:
    """An existing resource that is started or scaled: what it is made of is read from the resource itself.

    Judged when one of *when* (paths in the body) is there, or always when there are none; `count` reads the number
    that is asked for now from the body.
    """

    def read(call: Call) -> Items:
        if when and not any(True for path in when for _ in walk(call.body, path)):
            return None
        asked = count(call.body) if count is not None else None
        if not isinstance(asked, Unknown) and asked is not None and asked == 0:
            return None
        current = call.known()
        found: Items = None
        if not isinstance(current, Unknown):
            found = whole_resource(Call(call.method, call.address, current, call.resolver, call.context))
            reason = "the resource does not say what it is made of"
        else:
            reason = f"what is started or scaled is not in the call: {current.reason}"
        items = list(found) if found is not None else [unknown(reason, kind=ACCELERATOR)]
        if asked is None:
            return items
        return [
            item.model_copy(update={"instances": asked}) if item.instance_type is not None else item for item in items
        ]

    return read


def asked(*paths: str) -> Counter:
    """The largest number at *paths*, zero included: what an update asks for now."""

    def count(node: Tree) -> Maybe[int]:
        found = largest(node, *paths)
        return Unknown("no number is given") if found is None else found

    return count


def scaled(read: Reader, *when: str) -> Reader:
    """Sizes as *read* finds them; where only a number at *when* changes, the resource tells what it is of."""
    return first_of(read, as_it_is(first_of(read, lambda call: []), when=when))


def truthy(value: Tree) -> bool:
    """Whether a flag may be on."""
    if isinstance(value, Many):
        return any(truthy(each) for each in value.values)
    if isinstance(value, Unknown):
        return True
    return value is True or (isinstance(value, str) and value.lower() in ("true", "enabled"))


def any_text(node: Tree, path: str) -> list[Maybe[str]]:
    return [text(value, where) for where, value in walk(node, path)]


Table: TypeAlias = dict[str, dict[str, Operation]]
"""Resource type (lower case) -> `put`, `patch` or `post:<action>` -> operation."""


def row(name: str, action: Action, read: Reader, **more: Any) -> Operation:
    return Operation(name, action, read, **more)
