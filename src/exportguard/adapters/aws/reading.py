"""What the parameters of a call say by themselves: read once, and remembered for the next call that says the same.

Reading is pure: the same parameters, sent to the same region, give the same items. What was read is kept under a
digest of them, so that nothing of a call's own (user data, passwords) outlives it. Where something was looked up on
the way, nothing is kept: the answer may be another next time.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from exportguard.adapters.aws.call import Call, get
from exportguard.adapters.aws.lookup import Together
from exportguard.adapters.aws.operations import extract
from exportguard.vocabulary import Action, Item, Location, Transfer
from exportguard.vocabulary.saying import digest_of, is_named

_KEPT = 1024
_MOST_ITEMS = 64
"""A reading of more items is made anew: what is kept stays small."""
_MOST_BYTES = 100_000


class Reading(NamedTuple):
    """Items and places that parameters name, and what else a request holds of them."""

    items: tuple[Item, ...]
    action: Action
    transfer: Transfer
    zones: tuple[str, ...]
    locations: tuple[Location, ...]
    outside: str | None
    tags: Mapping[str, str]
    digest: str | None
    """Of what the call says, where an item of it could not be named (`vocabulary.saying`)."""


_read: dict[tuple[str, str, str | None, bool, bytes], Reading] = {}


def reading(service: str, operation: str, parameters: Any, region: str | None, resolver: Together | None) -> Reading:
    """What *parameters* say. Never raises: what cannot be read is an item that is unknown."""
    content = _content(service, parameters)
    if content is None:
        return _reading(service, operation, parameters, region, resolver)
    key = (service, operation, region, resolver is None, content)
    found = _read.get(key)
    if found is None:
        found = _reading(service, operation, parameters, region, resolver)
        if (resolver is None or not resolver.asked) and len(found.items) <= _MOST_ITEMS:
            if len(_read) >= _KEPT:
                _read.clear()  # whatever is common is back at once
            _read[key] = found
    return found


def _content(service: str, parameters: Any) -> bytes | None:
    """A digest of *parameters* but for the token that makes each call its own; None where none can be had of them.

    Two values have the same text here only if they are equal and of the same types (`1`, `1.0` and `True` are three),
    bytes and bytearrays aside. What is said to a model is another thing each time: it is not worth its digest.
    """
    if type(parameters) is not dict or service.endswith("-runtime"):
        return None
    if "ClientToken" in parameters or "ClientRequestToken" in parameters:
        parameters = {key: value for key, value in parameters.items() if key not in _TOKENS}
    try:
        # Version 2 refers to nothing that was written before: equal parameters are written alike.
        content = marshal.dumps(parameters, 2)
    except ValueError:  # a stream, or a class of somebody's own
        return None
    return sha256(content).digest() if len(content) <= _MOST_BYTES else None


_TOKENS = frozenset({"ClientToken", "ClientRequestToken"})


def _reading(service: str, operation: str, parameters: Any, region: str | None, resolver: Together | None) -> Reading:
    call = Call(service, operation, parameters, region=region, resolver=resolver)
    if type(parameters) is dict or isinstance(parameters, Mapping):
        try:
            extract(call)
        except (Exception, RecursionError) as problem:  # noqa: BLE001 - a parameter nobody foresaw: unknown, not nothing
            call.unknown(f"the parameters could not be read ({type(problem).__name__})", "")
    else:
        call.unknown("the parameters are not a structure", "")
    # A call of a model is left as it is: what is said to one differs each time, and its item has the name it gave.
    named = call.action is Action.INVOKE or all(map(is_named, call.items))
    return Reading(
        tuple(call.items),
        call.action,
        call.transfer,
        tuple(call.zones),
        tuple(call.locations),
        call.outside,
        _tags(parameters) if call.items else {},
        None if named else digest_of(parameters),
    )


_TAGS = frozenset({"Tags", "tags", "TagSpecifications", "tagSpecifications"})


def _tags(parameters: Any) -> dict[str, str]:
    """The tags that the call gives what it makes. A directory may know a customer by one."""
    if type(parameters) is dict and _TAGS.isdisjoint(parameters):
        return {}
    lists = [get(parameters, "Tags")]
    specifications = get(parameters, "TagSpecifications")
    if isinstance(specifications, (list, tuple)):
        lists += [get(specification, "Tags") for specification in specifications]
    found: dict[str, str] = {}
    for tags in lists:
        pairs: Iterable[Any] = ()
        if isinstance(tags, Mapping):
            pairs = tags.items()
        elif isinstance(tags, (list, tuple)):
            pairs = ((get(tag, "Key"), get(tag, "Value")) for tag in tags)
        for key, value in pairs:
            if isinstance(key, str) and isinstance(value, str) and len(found) < 100:
                found[key[:256].encode("utf-8", "replace").decode()] = value[:1024].encode("utf-8", "replace").decode()
    return found
