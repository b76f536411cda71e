"""Checks of function calls: which functions there are, what they take, and our own `country_group` and `owned`."""

from __future__ import annotations

from difflib import get_close_matches
from fractions import Fraction
from typing import TYPE_CHECKING

from exportguard.language import functions
from exportguard.language.hints import NAMESPACES
from exportguard.language.syntax import Node, free_names
from exportguard.language.types import BOOL, DYN, Type, list_of

if TYPE_CHECKING:
    from exportguard.language.schema import Vocabularies

RANGING = functions.MACROS | {"any", "some", "every", "find", "sum", "max", "min", "count"}
"""What other languages call with a list and what to ask of each element."""
MAX_PATTERN = 1000
"""Characters in a regular expression."""


class CallChecks:
    """The part of the checker that looks at calls."""

    words: Vocabularies
    scope: list[tuple[str, Type]]
    roots: tuple[str, ...]

    if TYPE_CHECKING:

        def report(
            self, node: Node | tuple[int, int], code: str, message: str, label: str = "", hint: str | None = None
        ) -> Type: ...
        def negated(self, node: Node) -> tuple[Node, list[Type]]: ...
        def check_word(self, node: Node, text: str, words: str) -> None: ...
        def text(self, node: Node) -> str: ...
        def some(self, words: str) -> str | None: ...

    def visit_call(self, node: Node) -> tuple[Node, Type]:
        name, method = node.value
        if any(arg.op == "hole" for arg in node.args):
            return self.negated(node)[0], DYN
        if not method and name == "country_group":
            return self.check_group(node)
        if not method and name == "owned":
            return self.check_owned(node)
        space = node.args[0].value if method and node.args[0].op == "ref" else None
        extension = space in NAMESPACES and all(space != bound for bound, _ in self.scope)
        known = name in (functions.METHODS if method else functions.GLOBALS) and not extension
        variable = node.args[1] if method and not known and len(node.args) > 1 else None
        if variable is not None and variable.op == "ref":
            # Written as a macro: its variable is no mistake of its own.
            self.scope.append((str(variable.value), DYN))
        bound = len(self.scope)
        if not method and not known and name in RANGING:
            self.scope += [(each, DYN) for each in sorted(free_names(node)) if each not in self.roots]
        typed, kinds = self.negated(node.retyped("", node.args[1:]) if extension else node)
        del self.scope[bound:]
        if variable is not None and variable.op == "ref":
            self.scope.pop()
        if extension:
            what = f"`{space}.{name}` is outside the policy language"
            return typed, self.report(node, "EG210", what, "not supported", "no extension of CEL is part of it")
        if not known:
            return typed, self.unknown_function(node, name, method)
        result = self.overload(node, name, kinds)
        if result is None:
            return typed, DYN
        if name == "matches":
            return self.check_pattern(node, typed)
        if name in ("startsWith", "endsWith", "contains"):
            self.check_possible(node, name, kinds[0])
        if name in ("timestamp", "duration", "int", "double"):
            self.check_conversion(node, name)
        if name in functions.TIME_PARTS and len(node.args) == 2:
            self.check_zone(node.args[1])
        return typed.retyped(str(result)), result

    def unknown_function(self, node: Node, name: str, method: bool) -> Type:
        if name in functions.OUTSIDE:
            return self.report(
                node, "EG210", f"`{name}` is outside the policy language", "not supported", functions.OUTSIDE[name]
            )
        ranges = name in functions.MACROS and not method
        if ranges and name in functions.MEANT and len(node.args) == 1:
            hint: str | None = functions.MEANT[name]
        elif name in functions.METHODS | functions.MACROS and not method:
            hint = f"write it as a method: `value.{name}(…)`"
        elif name in functions.GLOBALS | functions.OURS and method:
            hint = f"write it as a function: `{name}(…)`"
        elif (name if name in functions.MEANT else name.lower()) in functions.MEANT:
            hint = functions.MEANT[name if name in functions.MEANT else name.lower()]
        else:
            known = sorted(functions.METHODS | functions.MACROS if method else functions.GLOBALS | functions.OURS)
            close = get_close_matches(name, known, n=1, cutoff=0.6)
            hint = f"did you mean `{close[0]}`?" if close else f"there are {', '.join(f'`{k}`' for k in known)}"
        return self.report(node, "EG204", f"unknown function `{name}`", "no such function", hint)

    def overload(self, node: Node, name: str, kinds: list[Type]) -> Type | None:
        for wanted, result in functions.OVERLOADS[name]:
            if len(wanted) == len(kinds) and all(
                want.kind == kind.kind or kind.kind == "dyn" for want, kind in zip(wanted, kinds, strict=True)
            ):
                return result
        got = ", ".join(kind.shown() for kind in kinds) or "nothing"
        hint: str | None = _TAKES.get(name)
        if name == "contains" and kinds and kinds[0].kind == "list":
            hint = f"an element of a list is asked with `in`: `{self.text(node.args[-1])} in {self.text(node.args[0])}`"
        self.report(node, "EG205", f"`{name}` does not take this", f"given {got}", hint)
        return None

    def check_pattern(self, node: Node, typed: Node) -> tuple[Node, Type]:
        from exportguard.language.regex import RegexError, compile_pattern

        pattern = node.args[1]
        if pattern.op != "lit" or not isinstance(pattern.value, str):
            hint = 'text inside text is `a.contains(b)`; a pattern is a literal: `matches(r"…")`'
            self.report(pattern, "EG214", "a regular expression is written out in the policy", "not a literal", hint)
            return typed, BOOL
        if len(pattern.value) > MAX_PATTERN:
            self.report(pattern, "EG214", f"a regular expression has at most {MAX_PATTERN} characters", "too long")
            return typed, BOOL
        try:
            compile_pattern(pattern.value)
        except RegexError as error:
            self.report(
                pattern,
                "EG214",
                f"RE2 refuses this regular expression: {error}",
                "not RE2",
                "RE2 has no look-around and no back-references; in return it takes linear time",
            )
        return Node("matches", (typed.args[0],), pattern.value, "bool", node.start, node.end), BOOL

    def check_possible(self, node: Node, name: str, kind: Type) -> None:
        """A prefix that no word of a closed vocabulary has never matches."""
        part = node.args[1]
        members = self.words.members(kind.words) if kind.words else None
        if members is None or part.op != "lit" or not isinstance(part.value, str):
            return
        text = part.value
        tests = {"startsWith": str.startswith, "endsWith": str.endswith, "contains": str.__contains__}
        if members and not any(tests[name](member, text) for member in members):
            folded = text.casefold()
            near = sorted({m for m in members if tests[name](m.casefold(), folded)})
            meant = near[0][: len(text)] if near and name == "startsWith" else near[0] if near else None
            hint = f'did you mean `"{meant}"`?' if meant is not None else self.some(str(kind.words))
            self.report(part, "EG207", "this never holds", f"no {str(kind.words).replace('eccn', 'ECCN')} fits", hint)

    def check_conversion(self, node: Node, name: str) -> None:
        """A literal that cannot be converted is wrong now, not at three in the morning."""
        from exportguard.language.conversions import convert_literal

        part = node.args[0]
        if part.op == "lit" and isinstance(part.value, str | int | float) and not isinstance(part.value, bool):
            problem = convert_literal(name, part.value)
            if problem is not None:
                what = f"`{part.value}` is not {'an' if name == 'int' else 'a'} {name}"
                # How an int is written helps with a text; of a number that is too large it says nothing.
                hint = None if name == "int" and not isinstance(part.value, str) else _WRITTEN[name]
                self.report(part, "EG215", what, problem, hint)

    def check_zone(self, part: Node) -> None:
        """A time zone that is not one leaves the rule open for ever; where a machine knows none, nothing is said."""
        from exportguard.language.conversions import is_zone

        if part.op == "lit" and isinstance(part.value, str) and is_zone(part.value) is False:
            hint = "IANA's names, as `Europe/Oslo`, or an offset, as `+02:00`"
            self.report(part, "EG215", f"`{part.value}` is not a time zone", "not known", hint)

    def check_group(self, node: Node) -> tuple[Node, Type]:
        result = list_of(Type("string", words="country"))
        part = node.args[0] if len(node.args) == 1 else None
        if part is None or part.op != "lit" or not isinstance(part.value, str):
            several = len(node.args) > 1 or (len(node.args) == 1 and node.args[0].op == "list")
            hint = 'as in `country_group("D:5")`' + (' + country_group("E:1")`' if several else "")
            hint = hint.replace('")` + ', '") + ')
            self.report(node, "EG205", "`country_group` takes the name of a group", "", hint)
            return node.retyped(str(result)), result
        name = part.value
        self.check_group_name(part, name)
        return Node("group", (), name, str(result), node.start, node.end), result

    def check_group_name(self, part: Node, name: str) -> None:
        if name in self.words.group_names:
            return
        folded = {_squash(known): known for known in sorted(self.words.group_names)}
        close = [folded[_squash(name)]] if _squash(name) in folded else []
        close = close or get_close_matches(name, sorted(self.words.group_names), n=1, cutoff=0.6)
        hint = f'did you mean `"{close[0]}"`?' if close else "the groups are those of the EAR, as `A:5`, `D:1`, `D:5`"
        if self.words.admits("country", name):
            hint = f'a country is compared by itself: `party.country == "{name}"`'
        self.report(part, "EG209", f"unknown country group `{name}`", "not a group", hint)

    def check_owned(self, node: Node) -> tuple[Node, Type]:
        usage = 'as in `owned(party, ["EL", "MEU"], ">=", 50)`'
        if len(node.args) != 4:
            self.report(node, "EG205", "`owned` takes a party, lists, a comparison and a percentage", "", usage)
            return node.retyped("bool"), BOOL
        party, lists, comparison, percent = node.args
        typed, kinds = self.negated(node)
        if kinds[0].kind not in ("record", "dyn") or (kinds[0].kind == "record" and kinds[0].record != "party"):
            self.report(party, "EG205", "`owned` asks about a party", f"this is {kinds[0].shown()}", usage)
        codes: list[str] = []
        if lists.op != "list" or not lists.args:
            self.report(lists, "EG205", "the lists are written out", "not a list of codes", usage)
        for code in lists.args if lists.op == "list" else ():
            if code.op == "lit" and isinstance(code.value, str):
                kind, separator, group = code.value.partition(":")
                if separator and kind in ("in", "outside"):
                    self.check_group_name(code, group)
                else:
                    self.check_word(code, code.value, "list code")
                codes.append(code.value)
            else:
                self.report(code, "EG205", "the lists are written out", "not a list code", usage)
        if comparison.op != "lit" or comparison.value not in (">=", ">"):
            self.report(comparison, "EG205", 'the comparison is `">="` or `">"`', "neither", usage)
        share = _exact(self.text(percent)) if percent.op == "lit" else None
        if share is None:
            self.report(percent, "EG205", "the percentage is a number", "not a number", usage)
        elif not 1 <= share <= 100 or (share == 100 and comparison.value == ">"):
            self.report(
                percent,
                "EG217",
                f"`{self.text(percent)}` is no sensible threshold here",
                "wrong unit?",
                "the share is in percent, 0 to 100",
            )
        value = (tuple(sorted(set(codes))), str(comparison.value), str(share or 0))
        return Node("owned", (typed.args[0],), value, "bool", node.start, node.end), BOOL


_TEXT_IN = 'as in `party.name.{}("…")`'
_TAKES = {
    **{name: _TEXT_IN.format(name) for name in ("contains", "startsWith", "endsWith", "matches")},
    **dict.fromkeys(functions.TIME_PARTS, 'an instant, and maybe a time zone: `request.time.getHours("Europe/Oslo")`'),
    "timestamp": 'text with date, time and offset: `timestamp("2024-01-01T00:00:00Z")`',
    "duration": 'text: `duration("24h")`',
    "size": "text or a list: `size(party.listings)`",
    "string": "a number, an instant, true or false",
    "int": "a number, an instant in seconds, or text that is a whole number",
    "double": "a number, or text that is one",
}
"""What functions take, for who gave them something else."""
_WRITTEN = {
    "timestamp": 'an instant has its date, time and offset: `timestamp("2024-01-01T00:00:00Z")`',
    "duration": 'the units are `h`, `m`, `s` and `ms`, without spaces; a day is `duration("24h")`',
    "int": "digits, with a sign or without",
    "double": "a finite number",
}


def _exact(text: str) -> Fraction | None:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None


def _squash(text: str) -> str:
    return "".join(ch for ch in text.lower() if ch.isalnum())
