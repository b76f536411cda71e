"""Checks of comparisons: types that meet, vocabularies that hold the word, thresholds in the right unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exportguard.language.hints import look_alike
from exportguard.language.syntax import Node
from exportguard.language.types import BOOL, DYN, Type

if TYPE_CHECKING:
    from exportguard.language.schema import Vocabularies

_ORDERED = ("int", "double", "string", "bool", "timestamp", "duration")


class ComparisonChecks:
    """The part of the checker that looks at `== != < <= > >= in` and arithmetic."""

    words: Vocabularies
    members: dict[int, list[Type]]

    if TYPE_CHECKING:

        def report(
            self, node: Node | tuple[int, int], code: str, message: str, label: str = "", hint: str | None = None
        ) -> Type: ...
        def negated(self, node: Node) -> tuple[Node, list[Type]]: ...
        def text(self, node: Node) -> str: ...

    def visit_cmp(self, node: Node) -> tuple[Node, Type]:
        typed, (left, right) = self.negated(node)
        op = str(node.value)
        if left.kind == "dyn" or right.kind == "dyn":
            return typed, BOOL
        if op in ("==", "!="):
            self.check_equal(node, left, right, op)
        else:
            self.check_order(node, left, right, op)
        return typed, BOOL

    def check_equal(self, node: Node, left: Type, right: Type, op: str) -> None:
        outcome = "never holds" if op == "==" else "always holds"
        if not self.comparable(left, right):
            hint = self.unlike(node, left, right)
            self.report(node, "EG207", f"this comparison {outcome}", f"{left.shown()} against {right.shown()}", hint)
            return
        if left.kind == right.kind == "record":
            self.report(node, "EG205", "records cannot be compared", "two records", "compare one of their fields")
            return
        self.check_words(node.args[0], left, node.args[1], right, outcome)
        for literal, kind in ((node.args[1], left), (node.args[0], right)):
            self.check_threshold(literal, kind)

    def unlike(self, node: Node, left: Type, right: Type) -> str | None:
        """What to write in place of a comparison of values that have nothing in common."""
        kinds = {left.kind, right.kind}
        if "null" in kinds:
            return "a fact that nobody knows is asked with `unknown(path)`; only optional facts can be null"
        if kinds in ({"string", "int"}, {"string", "double"}):
            return "write the number without quotes, or convert it"
        if "bool" in kinds and any(arg.op == "not" for arg in node.args):
            return "`!` binds first: `!(a == b)`, `!(a in [b])`"
        if kinds == {"string", "bool"}:
            return "`true` and `false` stand without quotes; `!(a == b)` needs its brackets"
        if kinds == {"string", "timestamp"}:
            return 'an instant is `timestamp("2024-01-01T00:00:00Z")`'
        if "list" in kinds and len(kinds) == 2:
            one, many = (node.args[1], node.args[0]) if left.kind == "list" else (node.args[0], node.args[1])
            return f"one of several is asked with `in`: `{self.text(one)} in {self.text(many)}`"
        if "record" in kinds:
            one = node.args[0] if left.kind == "record" else node.args[1]
            name = left.record if left.kind == "record" else right.record
            return f"compare one of its fields, as `{self.text(one)}.{_MAIN.get(name, 'name')}`"
        if kinds <= {"timestamp", "int", "double"}:
            return "seconds since 1970 are an instant by `timestamp(…)`"
        if "bool" in kinds and kinds & {"int", "double"}:
            return "a range is `low < x && x < high`; `true` and `false` are no numbers"
        return None

    def comparable(self, left: Type, right: Type) -> bool:
        if "dyn" in (left.kind, right.kind):
            return True
        if left.kind == "null" or right.kind == "null":
            return left.nullable or right.nullable or left.kind == right.kind
        if left.numeric and right.numeric:
            return True
        if left.kind != right.kind:
            return False
        if left.kind == "list" and left.of is not None and right.of is not None:
            return self.comparable(left.of, right.of)
        return left.kind != "record" or left.record == right.record

    def check_order(self, node: Node, left: Type, right: Type, op: str) -> None:
        if left.kind not in _ORDERED or right.kind not in _ORDERED or not self.comparable(left, right):
            hint = self.unlike(node, left, right)
            self.report(node, "EG205", f"`{op}` cannot order these", f"{left.shown()} against {right.shown()}", hint)
            return
        for literal, kind, order in ((node.args[1], left, op), (node.args[0], right, op.translate(_SWAP))):
            if self.check_threshold(literal, kind):
                continue
            number = _number(literal)
            if number is None or kind.least is None:
                continue
            low, high = kind.least, kind.most
            never = (order == "<" and number <= low) or (order == "<=" and number < low)
            never = never or (
                high is not None and ((order == ">" and number >= high) or (order == ">=" and number > high))
            )
            if never:
                self.report(
                    node,
                    "EG207",
                    "this comparison never holds",
                    f"the value is never below {low:g}" if order[0] == "<" else f"the value is never above {high:g}",
                    "correct the number, or drop this part",
                )

    def check_threshold(self, literal: Node, kind: Type) -> bool:
        """Report a literal that cannot be meant in the fact's unit; whether it did."""
        number = _number(literal)
        if number is None or not kind.unit:
            return False
        outside = (kind.least is not None and number < kind.least) or (kind.most is not None and number > kind.most)
        low, high = kind.suspicious or (0.0, 0.0)
        if outside or low < number < high:
            self.report(
                literal,
                "EG217",
                f"`{self.text(literal)}` is no sensible threshold here",
                "out of range" if outside else "wrong unit?",
                f"the fact is in {kind.unit}",
            )
            return True
        return False

    def visit_in(self, node: Node) -> tuple[Node, Type]:
        typed, (element, members) = self.negated(node)
        if members.kind == "dyn":
            return typed, BOOL
        if members.kind != "list":
            hint = None
            if members.kind == "string" and element.kind == "string":
                one, many = self.text(node.args[0]), self.text(node.args[1])
                written = node.args[1].op == "lit"
                hint = f"a list stands between square brackets: `{one} in [{many}]`" if written else None
                hint = hint or f"text inside text is `{many}.contains({one})`"
            elif element.kind == "list":
                hint = f"the other way round: `{self.text(node.args[1])} in {self.text(node.args[0])}`"
            self.report(node.args[1], "EG205", "`in` needs a list", f"this is {members.shown()}", hint)
            return typed, BOOL
        if node.args[1].op == "list":
            self.check_literal_list(node, element)
            return typed, BOOL
        inner = members.of or DYN
        if not self.comparable(element, inner):
            hint = f"ask one of its fields, as `{self.text(node.args[0])}.{_MAIN.get(element.record, 'name')}`"
            told = f"{element.shown()} in {members.shown()}"
            if element.kind == "list":
                one, many = self.text(node.args[0]), self.text(node.args[1])
                hint = f"each is asked by itself: `{one}.exists(x, x in {many})`"
            elif element.kind != "record":
                hint = self.unlike(node, element, inner) or hint
            self.report(node, "EG207", "this comparison never holds", told, hint)
        elif element.kind == "record":
            self.report(node, "EG205", "records cannot be compared", "a record", "compare one of their fields")
        else:
            self.check_words(node.args[0], element, node.args[1], inner, "never holds")
        return typed, BOOL

    def check_literal_list(self, node: Node, element: Type) -> None:
        wanted = node.args[1].args
        if not wanted:
            remedy = "name what it may be, or drop this part"
            self.report(node, "EG207", "this comparison never holds", "the list is empty", remedy)
        for item, member in zip(wanted, self.members[id(node.args[1])], strict=True):
            if element.kind == "dyn":
                continue
            kind = self.literal_type(item)
            if kind is None:
                if not self.comparable(element, member):
                    label = f"{member.shown()} against {element.shown()}"
                    hint = self.unlike(node, element, member)
                    hint = "a list of lists is asked one by one, or joined by `+`" if member.kind == "list" else hint
                    self.report(item, "EG207", "this comparison never holds", label, hint)
                continue
            if not self.comparable(element, kind):
                label = f"{kind.shown()} against {element.shown()}"
                self.report(item, "EG207", "this comparison never holds", label, self.unlike(node, element, kind))
            else:
                self.check_words(node.args[0], element, item, kind, "never holds")
                self.check_threshold(item, element)

    @staticmethod
    def literal_type(node: Node) -> Type | None:
        if node.op != "lit":
            return None
        kinds = {type(None): "null", bool: "bool", int: "int", float: "double", str: "string"}
        return Type(kinds[type(node.value)])

    def check_words(self, left: Node, left_type: Type, right: Node, right_type: Type, outcome: str) -> None:
        """Literals against a closed vocabulary, and two vocabularies that have nothing in common."""
        if left_type.kind == "list" and right_type.kind == "list":
            left_type, right_type = left_type.of or DYN, right_type.of or DYN
        for literal, vocabulary in ((right, left_type.words), (left, right_type.words)):
            if vocabulary is None:
                continue
            parts = literal.args if literal.op == "list" else (literal,)
            for part in parts:
                if part.op == "lit" and isinstance(part.value, str):
                    self.check_word(part, part.value, vocabulary)
        names = sorted({left_type.words or "word", right_type.words or "word"} - {"word", "lowercase"})
        if len(names) == 2:
            self.report(
                (left.start, right.end),
                "EG207",
                f"this comparison {outcome}",
                f"{_a(names[0])} is never {_a(names[1])}",
                "compare facts of one kind",
            )

    def check_word(self, node: Node, text: str, words: str) -> None:
        if self.words.admits(words, text):
            return
        meant = self.words.suggestion(words, text)
        if words in ("word", "lowercase"):
            form = f'facts arrive in this form: `"{meant}"`'
            self.report(node, "EG208", f"`{text}` is never the value here", "not in the form of this fact", form)
            return
        parts = sorted(m for m in self.words.members(words) or () if m.startswith(f"{text}."))
        if text.lower() == "unknown":
            hint: str | None = "a fact that nobody knows leaves a rule open; a hold rule asks `unknown(path)`"
        elif parts:
            hint = "its parts are " + ", ".join(f'`"{m}"`' for m in parts) + ": name those that are meant"
        else:
            hint = f'did you mean `"{meant}"`?' if meant is not None else look_alike(text) or self.some(words)
        self.report(node, "EG208", f"`{text}` is not {_a(words)}", f"not a known {words.replace('eccn', 'ECCN')}", hint)

    def some(self, words: str) -> str | None:
        members = self.words.members(words)
        if members is None:
            return None
        if words == "country":
            return 'two letters of ISO 3166, as `"CN"`; several countries are `country_group("D:5")`'
        some = sorted(members)[:: max(1, len(members) // 4)] if len(members) > 20 else sorted(members)
        return ("for example " if len(members) > 20 else "one of ") + ", ".join(f'`"{m}"`' for m in some)

    def visit_arith(self, node: Node) -> tuple[Node, Type]:
        typed, (left, right) = self.negated(node)
        op = str(node.value)
        if "dyn" in (left.kind, right.kind):
            return typed, DYN
        pair = (left.kind, right.kind)
        if pair == ("int", "int") or (pair == ("double", "double") and op != "%"):
            return typed, Type(left.kind)
        if op == "+" and pair == ("string", "string"):
            return typed, Type("string")
        if op == "+" and pair == ("list", "list"):
            return typed, left if left == right else Type("list", of=DYN)
        if op in "+-" and pair == ("timestamp", "duration"):
            return typed, Type("timestamp")
        if op == "+" and pair == ("duration", "timestamp"):
            return typed, Type("timestamp")
        if op == "-" and pair == ("timestamp", "timestamp"):
            return typed, Type("duration")
        if op in "+-" and pair == ("duration", "duration"):
            return typed, Type("duration")
        hint = None
        if op == "%" and left.numeric and right.numeric:
            hint = "`%` is for whole numbers: convert with `int(…)`"
        elif "timestamp" in pair and (left.numeric or right.numeric):
            hint = 'a span of time is a duration: `duration("24h")`'
        elif "duration" in pair and (left.numeric or right.numeric):
            hint = 'write the duration out: `duration("48h")`'
        elif "string" in pair and (left.numeric or right.numeric):
            hint = "a number becomes text by `string(…)`"
        elif left.numeric and right.numeric:
            hint = "int and double do not mix in arithmetic: write `2.0` for `2`, or convert with `double(…)`"
        return typed, self.report(
            node, "EG205", f"`{op}` cannot join these", f"{left.shown()} and {right.shown()}", hint
        )


_MAIN = {"item": "eccn", "party": "country", "accelerator": "family", "model": "family"}
_MAIN |= {"ultimate_parent": "headquarters", "restricted_ownership": "list", "location": "country"}
"""Which field of a record is asked most."""
_SWAP = str.maketrans("<>", "><")


def _number(node: Node) -> int | float | None:
    value = node.value if node.op == "lit" else None
    if node.op == "neg" and node.args[0].op == "lit":
        inner = node.args[0].value
        value = -inner if isinstance(inner, int | float) and not isinstance(inner, bool) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _a(words: str) -> str:
    shown = words.replace("eccn", "ECCN").replace("weights", "word for weights")
    return f"an {shown}" if shown[0] in "aeioE" else f"a {shown}"
