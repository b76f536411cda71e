"""What a set of conditions looks at: fields, literals, lists as wholes. It decides how much has to be unknown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from exportguard.language import CompiledCondition
from exportguard.language.schema import RECORDS
from exportguard.language.syntax import Node, walk
from exportguard.language.threevalued import question_of
from exportguard.parties.origin import is_place
from exportguard.vocabulary.questions import OwnershipQuestion

Test = tuple[str, str]
"""A test of one text by a literal: (`matches`, pattern), (`startsWith`, prefix), (`<`, bound) …"""

_UNARY = frozenset({"startsWith", "endsWith", "contains"})
_STRING_CALLS = _UNARY | {"size", "int", "double", "timestamp", "duration"}
OPEN_TEXTS = frozenset(
    {
        "request.service", "request.operation", "request.account", "request.end_use", "request.provider", "item.name",
        "item.instance_type", "model.id", "party.name", "ultimate_parent.name", "accelerator.vendor", "location.cloud",
        "location.region", "request.red_flags", "party.subdivision", "location.subdivision",
    }
)  # fmt: skip


@dataclass(slots=True)
class Mentions:
    """What conditions look at; field names are ``record.field`` (`accelerator.tpp`).

    `fields`: compared. `presence`: asked only whether known or there. `exact`: more counts than which of `texts` they
    are. `texts`: every literal. `tests`: what else is asked of a text by a literal. `deep`: texts that are computed
    with, so that they have to be strings and not words. `whole_lists`: `items` and `parties` that are looked at as
    wholes; `witnesses`: how many more of them an `exists` may need. `loose_lists`: listings or red flags are asked for
    more than whether they hold a literal (`list_codes`).
    """

    fields: set[str] = field(default_factory=set)
    presence: set[str] = field(default_factory=set)
    exact: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    tests: dict[str, set[Test]] = field(default_factory=dict)
    deep: set[str] = field(default_factory=set)
    whole_lists: set[str] = field(default_factory=set)
    witnesses: dict[str, int] = field(default_factory=dict)
    loose_lists: bool = False
    list_codes: dict[str, set[str]] = field(default_factory=dict)
    questions: set[OwnershipQuestion] = field(default_factory=set)

    def add(self, condition: CompiledCondition, *, lifts: bool = False) -> None:
        """*lifts*: it is an `unless`, so that what it finds in a list frees instead of restricting."""
        nodes = list(walk(condition.tree))
        asked = {id(node.args[0]) for node in nodes if node.op in ("unknown", "has")}
        tame = {id(part) for node in nodes for part in _against_literals(node)}
        positive = set() if lifts else {id(node) for node in _positive_exists(condition.tree)}
        inside: set[int] = set()
        counts: dict[str, int] = {}
        for node in nodes:
            codes = _literals_of_list(node)
            if codes is not None:
                listed = node.args[1] if node.op == "in" else node.args[0]
                self.list_codes.setdefault(str(listed.value), set()).update(codes)
                inside.add(id(listed))
            if id(node) in positive and node.args[0].op == "field":
                name = str(node.args[0].value)
                counts[name] = counts.get(name, 0) + 1
                inside.add(id(node.args[0]))
        for name, count in counts.items():
            self.witnesses[name] = max(self.witnesses.get(name, 0), count)
        mapped = any(node.op == "macro" and node.value[0] == "map" for node in nodes)
        for node in nodes:
            self._note(node, asked, tame, inside)
            self._note_tests(node, mapped)

    def add_all(self, conditions: Iterable[CompiledCondition | None]) -> Mentions:
        for condition in conditions:
            if condition is not None:
                self.add(condition)
        return self

    def _note(self, node: Node, asked: set[int], tame: set[int], inside: set[int]) -> None:
        if node.op == "lit" and isinstance(node.value, str):
            self.texts.add(node.value)
        elif node.op == "owned":
            question = question_of(node)
            self.questions.add(question)
            if any(map(is_place, question.lists)):  # the ultimate parent may answer it
                self.presence |= {"party.ultimate_parent", "ultimate_parent.country", "ultimate_parent.headquarters"}
        elif node.op == "unknown" and node.args[0].type.startswith("record:"):
            self._whole_record(node.args[0].type.removeprefix("record:"))
        elif node.op == "field":
            name = _name_of(node)
            (self.presence if id(node) in asked else self.fields).add(name)
            if name.startswith("usage."):
                self.presence |= {"item.count", "item.total_tpp", "item.tokens"}  # what a request adds may be unknown
            if id(node) not in tame and id(node) not in asked:
                self.exact.add(name)
            if name in ("request.items", "request.parties") and id(node) not in inside:
                self.whole_lists.add(str(node.value))
            if node.value in ("listings", "red_flags") and id(node) not in inside | asked:
                self.loose_lists = True

    def _whole_record(self, name: str) -> None:
        """`unknown(record)` asks whether anything at all is known of it."""
        for part, kind in RECORDS[name].items():
            self.presence.add(f"{name}.{part}")
            if kind.kind == "record":
                self._whole_record(kind.record)

    def _note_tests(self, node: Node, mapped: bool) -> None:
        """*mapped*: a variable of a macro may range over any texts."""
        test: tuple[Node, Test] | None = None
        if node.op == "matches":
            test = node.args[0], ("matches", str(node.value))
        elif node.op == "call" and node.value[0] in _STRING_CALLS:
            if node.value[0] in _UNARY and _is_text(node.args[1]):
                test = node.args[0], (str(node.value[0]), str(node.args[1].value))
        elif node.op == "cmp" and node.value not in ("==", "!="):
            left, right = node.args
            if _is_text(right):
                test = left, (str(node.value), str(right.value))
            elif _is_text(left):
                test = right, (str(node.value).translate(str.maketrans("<>", "><")), str(left.value))
        elif node.op != "arith" or node.value != "+":
            return
        if test is not None and test[0].op == "field" and _name_of(test[0]) in OPEN_TEXTS:
            self.tests.setdefault(_name_of(test[0]), set()).add(test[1])
        elif test is not None and test[0].op == "ref" and not mapped:
            self.tests.setdefault("request.red_flags", set()).add(test[1])  # the one list of free texts
        else:
            self._compute(node, mapped)

    def _compute(self, node: Node, mapped: bool) -> None:
        for part in walk(node):
            if part.op == "field" and _name_of(part) in OPEN_TEXTS:
                self.deep.add(_name_of(part))
            elif part.op == "ref" and part.type == "string":
                self.deep |= OPEN_TEXTS if mapped else {"request.red_flags"}

    def of_items(self) -> tuple[frozenset[str], ...]:
        """What tells classes of items apart."""
        roots = ("item", "accelerator", "model", "?", "request")

        def kept(names: set[str]) -> frozenset[str]:
            return frozenset(name for name in names if name.partition(".")[0] in roots)

        return kept(self.fields), kept(self.presence), kept(self.exact), frozenset(self.texts)

    def is_string(self, name: str) -> bool:
        """Whether a text has to be a string: it is computed with, or compared with one that is."""
        return name in self.deep or (bool(self.deep) and name in self.exact and name not in self.tests)

    def is_exact(self, name: str) -> bool:
        """Whether two values of ``record.field`` count as two, though no condition names either."""
        return name in self.exact or f"?.{name.partition('.')[2]}" in self.exact

    def compares(self, name: str) -> bool:
        """Whether the value of ``record.field`` counts (or of that field of a record of any type)."""
        return name in self.fields or f"?.{name.partition('.')[2]}" in self.fields

    def looks_at(self, name: str) -> bool:
        """Whether ``record.field`` is mentioned at all."""
        return self.compares(name) or name in self.presence or f"?.{name.partition('.')[2]}" in self.presence


def _name_of(node: Node) -> str:
    of = node.args[0].type
    return f"{of.removeprefix('record:')}.{node.value}" if of.startswith("record:") else f"?.{node.value}"


def _against_literals(node: Node) -> tuple[Node, ...]:
    """The sides of a comparison that are only told apart by literals."""
    if node.op == "cmp" and node.value in ("==", "!="):
        left, right = node.args
        return (left,) if right.op == "lit" else (right,) if left.op == "lit" else ()
    if node.op == "in" and _all_literals(node.args[1]):
        return (node.args[0],)
    return ()


def _is_text(node: Node) -> bool:
    return node.op == "lit" and isinstance(node.value, str)


def _all_literals(node: Node) -> bool:
    return node.op == "list" and all(part.op == "lit" for part in node.args)


def _literals_of_list(node: Node) -> frozenset[str] | None:
    """The literals that a list of texts is asked for: ``"EL" in list``, ``list.exists(x, x in ["EL"])``."""
    if node.op == "in" and node.args[0].op == "lit" and node.args[1].op == "field":
        return frozenset((str(node.args[0].value),))
    if node.op == "macro" and node.value[0] == "exists" and node.args[0].op == "field":
        body = node.args[1]
        if body.op == "in" and body.args[0].op == "ref" and _all_literals(body.args[1]):
            return frozenset(str(part.value) for part in body.args[1].args)
        if body.op == "cmp" and body.value == "==" and body.args[0].op == "ref" and body.args[1].op == "lit":
            return frozenset((str(body.args[1].value),))
    return None


def _positive_exists(tree: Node) -> Iterable[Node]:
    """`exists` over a list, joined by `&&` and `||` alone: more elements make it more true, never less."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if node.op in ("and", "or"):
            stack.extend(node.args)
        elif node.op == "macro" and node.value[0] == "exists":
            yield node
