"""What a set of conditions looks at: fields by record, literals, lists as wholes. It decides how much has to be unknown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from exportguard.language import CompiledCondition
from exportguard.language.syntax import Node, walk
from exportguard.language.threevalued import question_of
from exportguard.vocabulary.questions import OwnershipQuestion

_STRING_CALLS = frozenset({"startsWith", "endsWith", "contains", "size", "int", "double", "timestamp", "duration"})
_OPEN_TEXTS = frozenset(
    {
        "request.service", "request.operation", "request.account", "request.end_use", "request.provider", "item.name",
        "item.instance_type", "model.id", "party.name", "ultimate_parent.name", "accelerator.vendor", "location.cloud",
        "location.region", "request.red_flags", "party.subdivision", "location.subdivision",
    }
)  # fmt: skip


@dataclass(slots=True)
class Mentions:
    """`fields` are ``record.field`` names (`accelerator.tpp`), `texts` every literal text and member of a named list.

    `presence`: fields of which only whether they are known or there is asked.
    `exact`: fields of which more counts than which of `texts` they are.
    `strings`: a free text is looked into (a prefix, a pattern, its length), so that it must be a string and not only
    one word of several. `whole_lists`: `items` and `parties` that are looked at as lists. `loose_lists`: listings or red flags are
    asked for more than `x in list`; `list_codes` are the literals that are asked for so.
    """

    fields: set[str] = field(default_factory=set)
    presence: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    exact: set[str] = field(default_factory=set)
    strings: bool = False
    whole_lists: set[str] = field(default_factory=set)
    loose_lists: bool = False
    list_codes: set[str] = field(default_factory=set)
    questions: set[OwnershipQuestion] = field(default_factory=set)

    def add(self, condition: CompiledCondition) -> None:
        asked = {id(node.args[0]) for node in walk(condition.tree) if node.op in ("unknown", "has")}
        tame = {id(part) for node in walk(condition.tree) for part in _against_literals(node)}
        inside = {
            id(node.args[1])
            for node in walk(condition.tree)
            if node.op == "in" and node.args[0].op == "lit" and node.args[1].op == "field"
        }
        for node in walk(condition.tree):
            self._note(node, id(node) in asked)
            if node.op == "field" and node.value in ("listings", "red_flags") and id(node) not in inside | asked:
                self.loose_lists = True
            if node.op == "in" and node.args[0].op == "lit" and node.args[1].op == "field":
                self.list_codes.add(str(node.args[0].value))
            if node.op == "field" and id(node) not in tame | asked:
                self.exact.add(_name_of(node))

    def add_all(self, conditions: Iterable[CompiledCondition | None]) -> Mentions:
        for condition in conditions:
            if condition is not None:
                self.add(condition)
        return self

    def _note(self, node: Node, presence: bool) -> None:
        if node.op == "lit" and isinstance(node.value, str):
            self.texts.add(node.value)
        elif node.op == "field":
            name = _name_of(node)
            (self.presence if presence else self.fields).add(name)
            if name in ("request.items", "request.parties"):
                self.whole_lists.add(str(node.value))
        elif node.op == "owned":
            self.questions.add(question_of(node))
        if self._looks_into(node):
            self.strings = True

    @staticmethod
    def _looks_into(node: Node) -> bool:
        """Whether a free text stands where more than its being equal counts."""
        if (
            node.op == "matches"
            or (node.op == "call" and node.value[0] in _STRING_CALLS)
            or (node.op == "cmp" and node.value not in ("==", "!="))
            or (node.op == "arith" and node.value == "+")
        ):
            parts = node.args
        else:
            return False
        return any(
            part.op == "field" and f"{part.args[0].type.removeprefix('record:')}.{part.value}" in _OPEN_TEXTS
            for argument in parts
            for part in walk(argument)
        ) or any(
            # A macro's variable over texts has no path: take it for a free one.
            part.op == "ref" and part.type == "string"
            for argument in parts
            for part in walk(argument)
        )

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
    if node.op == "in" and node.args[1].op == "list" and all(part.op == "lit" for part in node.args[1].args):
        return (node.args[0],)
    return ()
