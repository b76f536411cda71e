"""Conditions as conjunctions, and what of them asks which word a fact is: what they are found by."""

from __future__ import annotations

from dataclasses import dataclass, field

from exportguard.language.evaluation import World
from exportguard.language.syntax import Node, path_text

LOCAL = {"request": "r", "item": "i", "party": "p", "location": "l"}
"""The roots of conditions that are asked together, and the names they have in generated code."""

Words = tuple[str, frozenset[str], bool]
"""A fact path, words, and whether the fact has to be one of them (or none of them)."""


@dataclass(frozen=True)
class Conjunct:
    """One conjunct of a condition: `words` where it asks for words of one fact only."""

    node: Node
    words: Words | None


@dataclass(frozen=True)
class RuleCode:
    """One condition: its conjuncts, the cheap ones first, and the words by which it can be found."""

    position: int
    conjuncts: tuple[Conjunct, ...]
    keys: dict[str, frozenset[str]] = field(hash=False)

    @classmethod
    def of(cls, position: int, tree: Node, world: World) -> RuleCode:
        parts: list[Node] = []
        stack = [tree]
        while stack:
            node = stack.pop()
            if node.op == "and":
                stack.extend(reversed(node.args))
            else:
                parts.append(node)
        merged: dict[str, Words] = {}
        others: list[Conjunct] = []
        for part in parts:
            try:
                found = words_of(part, world)
            except Exception:  # noqa: BLE001 - whatever reference data raises is for the three-valued path to name
                found = None
            if found is None:
                others.append(Conjunct(part, None))
            else:
                path = found[0]
                merged[path] = _both(merged[path], found) if path in merged else found
        first = [Conjunct(Node("lit", (), True), words) for words in merged.values()]
        keys = {path: words for path, words, inside in merged.values() if inside}
        return cls(position, (*first, *others), keys)


def words_of(node: Node, world: World) -> Words | None:
    """*node* as a question of which word one fact is; None if it asks anything else."""
    if node.op == "not":
        inner = words_of(node.args[0], world)
        return (inner[0], inner[1], not inner[2]) if inner is not None else None
    if node.op in ("and", "or"):
        joined: Words | None = None
        for part in node.args:
            found = words_of(part, world)
            if found is None or (joined is not None and joined[0] != found[0]):
                return None
            if joined is None:
                joined = found
            elif node.op == "and":
                joined = _both(joined, found)
            else:
                # a || b is !(!a && !b)
                joined = opposite(_both(opposite(joined), opposite(found)))
        return joined
    if node.op == "cmp" and node.value in ("==", "!="):
        for fact, literal in ((node.args[0], node.args[1]), (node.args[1], node.args[0])):
            compared = _text_fact(fact)
            if compared is not None and literal.op == "lit" and isinstance(literal.value, str):
                return compared, frozenset({literal.value}), node.value == "=="
    if node.op == "in":
        path, members = _text_fact(node.args[0]), node.args[1]
        if path is not None and members.op == "group":
            group = world.country_group(str(members.value))
            return (path, group, True) if group else None  # in a group without members is nobody, known or not
        literal_texts = members.op == "list" and all(p.op == "lit" and isinstance(p.value, str) for p in members.args)
        if path is not None and literal_texts and members.args:
            return path, frozenset(str(part.value) for part in members.args), True
    return None


def opposite(words: Words) -> Words:
    return words[0], words[1], not words[2]


def _both(one: Words, other: Words) -> Words:
    path = one[0]
    if one[2] and other[2]:
        return path, one[1] & other[1], True
    if one[2]:
        return path, one[1] - other[1], True
    if other[2]:
        return path, other[1] - one[1], True
    return path, one[1] | other[1], False


def _text_fact(node: Node) -> str | None:
    path = path_text(node) if node.op == "field" and node.type == "string" else None
    return path if path is not None and path.partition(".")[0] in LOCAL else None
