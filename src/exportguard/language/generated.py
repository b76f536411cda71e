"""Straight Python for many conditions: what each conjunct reads, when it is surely false, when it is surely true.

A *leaf* is a test that can neither fail nor be open once the facts it reads are of their types (`k1`, `k2` … say so).
Over leaves `&&`, `||` and `!` follow Kleene: a formula may hold unless `unless_false` is false, and it does hold if
`surely` is true. What is not made of leaves is evaluated as it is, and whatever it raises leaves it open.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from math import inf
from typing import Any

from exportguard.language.evaluation import Scope, World
from exportguard.language.facts import open_because, unknown_on_the_way
from exportguard.language.fastpath import HELPERS, NoFastForm, Writer
from exportguard.language.schema import LIST_LIMIT
from exportguard.language.syntax import Node, path_text, walk
from exportguard.language.threevalued import question_of
from exportguard.language.words import LOCAL, RuleCode, Words, opposite, words_of
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.questions import OwnershipQuestion

_LOGIC = frozenset({"and", "or", "not", "cond", "macro", "has", "unknown", "arith", "index", "neg", "var"})
_PURE_CALLS = frozenset({"startsWith", "endsWith", "contains", "size"})
_PURE = frozenset({"lit", "ref", "field", "list", "cmp", "in", "call", "matches", "group", "owned"})


class _GroupWriter(Writer):
    """Writes expressions over the locals of one generated function; facts are read once, at its top."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.facts: dict[tuple[str, str], str] = {}
        """(path, type) -> number of the locals `q…` (the value) and `k…` (whether it is of its type)."""
        self.needs_scope = False
        self.reads: list[str] = []
        self.causes: dict[str, str] = {}
        """number -> the name of the fact in causes"""
        self.questions: dict[OwnershipQuestion, str] = {}

    def start(self, root: str) -> str | None:
        return LOCAL.get(root)

    def fact(self, path: str, kind: str) -> str | None:
        known = self.facts.get((path, kind))
        if known is not None:
            return known
        test = _TESTS.get(kind)
        if test is None:
            return None
        number = str(len(self.facts) + 1)
        self.facts[path, kind] = number
        value = f"q{number}"
        root, _, rest = path.partition(".")
        owned = "[" in rest
        self.causes[number] = f"{path.partition('.ownership[')[0]}.owners" if owned else path
        instead = "None" if owned else f"W1({LOCAL[root]}, {tuple(rest.split('.'))!r})"
        self.reads += [
            f"    try: {value} = {LOCAL[root]}.{rest}",
            f"    except Exception: {value} = {instead}",
            f"    k{number} = {test.format(value)}",
        ]
        return number

    def checked(self, path: str, kind: str) -> str | None:
        text = _fact_path(path)
        number = self.fact(text, kind) if text is not None else None
        return f"(q{number} if k{number} else B())" if number is not None else super().checked(path, kind)

    def in_place(self, node: Node, bound: dict[str, str]) -> str:
        self.needs_scope = True
        return super().in_place(node, bound)

    def write_owned(self, node: Node, bound: dict[str, str]) -> str | None:
        path = self.path(node.args[0], bound)
        question = question_of(node)
        name = self.questions.get(question)
        if name is None:
            name = self.questions[question] = self.constant(question)
        return self.checked(f"{path}.ownership[{name}]", "bool") if path is not None else None

    def write_group(self, node: Node, bound: dict[str, str]) -> str | None:
        return self.constant(self.world.country_group(str(node.value)))

    def write_in(self, node: Node, bound: dict[str, str]) -> str | None:
        element, members = node.args
        if element.type == "string" and members.op == "group":
            return f"({self.write(element, bound)} in {self.write(members, bound)})"
        return super().write_in(node, bound)

    # -- leaves

    def leaf(self, node: Node) -> tuple[list[str], str] | None:
        """The flags of the facts a test reads, and the test over their values; None if it may fail or be open."""
        flags: list[str] = []
        if node.type != "bool":
            return None
        for part in walk(node):
            if part.op not in _PURE or (part.op == "call" and part.value[0] not in _PURE_CALLS):
                return None
        try:
            text = _Plain(self, flags).write(node, {})
        except NoFastForm:
            return None
        return list(dict.fromkeys(flags)), text


class _Plain(Writer):
    """Writes a leaf: facts without their checks, which go into the flags instead."""

    def __init__(self, owner: _GroupWriter, flags: list[str]) -> None:
        super().__init__()
        self.owner, self.flags = owner, flags
        self.constants = owner.constants

    def name(self, prefix: str) -> str:
        return self.owner.name(prefix)

    def start(self, root: str) -> str | None:
        return self.owner.start(root)

    def checked(self, path: str, kind: str) -> str | None:
        text = _fact_path(path)
        number = self.owner.fact(text, kind) if text is not None else None
        if number is None:
            raise NoFastForm
        self.flags.append(f"k{number}")
        return f"q{number}"

    def in_place(self, node: Node, bound: dict[str, str]) -> str:
        raise NoFastForm

    def write_owned(self, node: Node, bound: dict[str, str]) -> str | None:
        path = self.path(node.args[0], bound)
        self.owner.write_owned(node, bound)
        name = self.owner.questions[question_of(node)]
        return self.checked(f"{path}.ownership[{name}]", "bool") if path is not None else None

    def write_group(self, node: Node, bound: dict[str, str]) -> str | None:
        return self.owner.write_group(node, bound)

    def write_in(self, node: Node, bound: dict[str, str]) -> str | None:
        element, members = node.args
        if element.type == "string" and members.op == "group":
            return f"({self.write(element, bound)} in {self.write(members, bound)})"
        if element.type == "string" and members.op == "field" and members.type == "list(string)":
            return f"({self.write(element, bound)} in {self.write(members, bound)})"
        return super().write_in(node, bound)


_TESTS = {
    "string": "{0}.__class__ is str",
    "bool": "{0}.__class__ is bool",
    "int": "{0}.__class__ is int",
    "double": "({0}.__class__ is float and -INF < {0} < INF or {0}.__class__ is int)",
    "timestamp": "({0}.__class__ is datetime and {0}.tzinfo is not None)",
    "list(string)": f"({{0}}.__class__ is tuple and len({{0}}) <= {LIST_LIMIT} and (not {{0}} or T({{0}})))",
}
_BACK = {local: root for root, local in LOCAL.items()}


def _fact_path(path: str) -> str | None:
    """`party.name` behind `p.name`; None for a path that starts elsewhere."""
    local, dot, rest = path.partition(".")
    return f"{_BACK[local]}.{rest}" if dot and local in _BACK else None


def _told_by_its_facts(node: Node) -> bool:
    """Whether a test is open exactly when one of its facts is: of a list without elements that is not so."""
    if node.op in ("field", "owned"):
        return True
    if node.op == "cmp":
        return all(part.op in ("lit", "field") for part in node.args)
    if node.op == "in":
        return [part.op for part in node.args] == ["lit", "field"]
    return False


def _all_text(parts: tuple[Any, ...]) -> bool:
    return all(part.__class__ is str for part in parts)


class Generator:
    """One function over several conditions: look-ups first, then the conditions that are simply asked."""

    def __init__(self, world: World) -> None:
        self.writer = _GroupWriter(world)
        self.world = world
        self.lines: list[str] = []
        self.codes: list[RuleCode] = []
        self.tables: list[tuple[str, Any, Any]] = []

    def look_up(self, path: str, get: Callable[[str], Any], blind: Any) -> None:
        """Ask by the word that *path* is: what *get* has for it, or *blind* where it is no known text."""
        self.tables.append((path, get, blind))
        number = self.writer.fact(path, "string")
        found, otherwise = self.writer.constant(get), self.writer.constant(blind)
        self.lines += [
            f"    f = {found}(q{number}) if k{number} else {otherwise}",
            "    if f is not None: f(r, i, p, l, found)",
        ]

    def add(self, code: RuleCode) -> None:
        self.codes.append(code)
        facts, reads = dict(self.writer.facts), list(self.writer.reads)
        try:
            self.lines += self._rule(code)
        except Exception:  # noqa: BLE001 - what has no fast form, for whatever reason, is asked by itself
            self.writer.facts, self.writer.reads = facts, reads
            self.lines.append(f"    found.append(({code.position}, None))")

    def _rule(self, code: RuleCode) -> list[str]:
        hit = self.writer.constant((code.position, True))
        odd = self.writer.constant((code.position, None))
        may: list[str] = []
        does: list[str] = []
        others: list[str] = []
        causes: list[str | None] = []
        for conjunct in code.conjuncts:
            if conjunct.words is not None:
                flag, test = self._words(conjunct.words)
                may.append(f"(not {flag} or {test})")
                does.append(flag)
                causes.append(self._unread(flag))
                continue
            kleene = self._kleene(conjunct.node, negated=False)
            if kleene is not None:
                may.append(kleene[0])
                does.append(kleene[1])
                causes.append(self._causes(conjunct.node))
            else:
                others.append(self.writer.write(conjunct.node, {}))
        sure = " and ".join(dict.fromkeys(does)) or "True"
        lines = [f"    if {' and '.join(may)}:"] if may else ["    if True:"]
        if not others:
            told = [each for each in causes if each is not None]
            if len(told) == len(causes) and told:
                odd = f"({code.position}, O({' + '.join(dict.fromkeys(told))}))"
            lines.append(f"        found.append({hit} if {sure} else {odd})")
            return lines
        lines += ["        m = True", f"        o = {sure}"]
        for text in others:
            lines += [
                "        if m:",
                "            try:",
                f"                m = {text}",
                "            except Exception: o = False",
            ]
        lines.append(f"        if m: found.append({hit} if o and m is True else {odd})")
        return lines

    def _words(self, words: Words) -> tuple[str, str]:
        path, wanted, inside = words
        number = self.writer.fact(path, "string")
        if len(wanted) == 1:
            (word,) = wanted
            return f"k{number}", f"q{number} {'==' if inside else '!='} {self.writer.constant(word)}"
        return f"k{number}", f"q{number} {'in' if inside else 'not in'} {self.writer.constant(wanted)}"

    def _kleene(self, node: Node, *, negated: bool) -> tuple[str, str] | None:
        """(it may hold, it surely holds); None if *node* is not made of leaves."""
        found = words_of(node, self.world)
        if found is not None:
            flag, test = self._words(opposite(found) if negated else found)
            return f"(not {flag} or {test})", f"({flag} and {test})"
        if node.op == "not":
            return self._kleene(node.args[0], negated=not negated)
        if node.op in ("and", "or"):
            parts = [self._kleene(part, negated=negated) for part in node.args]
            if any(part is None for part in parts):
                return None
            word = " and " if (node.op == "and") != negated else " or "
            both = [part for part in parts if part is not None]
            return f"({word.join(m for m, _ in both)})", f"({word.join(s for _, s in both)})"
        if node.op == "unknown":
            return self._unknown(node, negated)
        leaf = self.writer.leaf(node)
        if leaf is None:
            return None
        flags, test = leaf
        if negated:
            test = f"not {test}"
        if not flags:
            return f"({test})", f"({test})"
        known = " and ".join(flags)
        return f"(not ({known}) or {test})", f"({known} and {test})"

    def _unknown(self, node: Node, negated: bool) -> tuple[str, str] | None:
        """A known fact is not unknown; of what is neither known nor unknown the three-valued path has to say."""
        number = self._asked(node)
        if number is None:
            return None
        known, unknown = f"k{number}", f"(q{number}.__class__ is UNKNOWN)"
        return (f"(not {unknown})", known) if negated else (f"(not {known})", unknown)

    def _asked(self, node: Node) -> str | None:
        """The number of the fact that `unknown(…)` asks about, where it is one that is read at the top."""
        path = path_text(node.args[0])
        if path is None or path.partition(".")[0] not in LOCAL or "." not in path:
            return None
        return self.writer.fact(path, node.args[0].type)

    # -- why a condition is open

    def _unread(self, flag: str) -> str:
        """Text of a tuple that holds the fact behind *flag* and its value, if it is not known."""
        number = flag.removeprefix("k")
        return f"(() if {flag} else (({self.writer.causes[number]!r}, q{number}),))"

    def _causes(self, node: Node) -> str | None:
        """Text of a tuple of what makes *node* open: its parts' facts, where it is; None where only the three-valued
        path can say."""
        found = words_of(node, self.world)
        if found is not None:
            return self._unread(self._words(found)[0])
        if node.op == "not":
            return self._causes(node.args[0])
        if node.op in ("and", "or"):
            parts = [self._causes(part) for part in node.args]
            kleene = self._kleene(node, negated=False)
            if kleene is None or any(part is None for part in parts):
                return None
            may, surely = kleene
            whole = " + ".join(dict.fromkeys(part for part in parts if part is not None))
            return f"(() if {surely} or not {may} else {whole})"
        if node.op == "unknown":
            number = self._asked(node)
            if number is None:
                return None
            return f"(() if q{number}.__class__ is UNKNOWN else {self._unread(f'k{number}')})"
        if not _told_by_its_facts(node):
            return None
        leaf = self.writer.leaf(node)
        return " + ".join(map(self._unread, leaf[0])) if leaf is not None and leaf[0] else None

    def function(self) -> Callable[..., None]:
        """The function ``(r, i, p, l, found)``. What cannot be compiled is asked by itself, all of it."""
        try:
            return self._compile(self.writer.reads, self.lines)
        except (SyntaxError, RecursionError, MemoryError, ValueError):
            return self._one_by_one()

    def _compile(self, reads: list[str], lines: list[str]) -> Callable[..., None]:
        head = ["def ask(r, i, p, l, found):"]
        if self.writer.needs_scope:
            head.append("    s = Scope(world=W, request=r, item=i, party=p, location=l)")
        # Only text that this module wrote is compiled: names are its own, literals go through repr or as constants.
        source = "\n".join([*head, *reads, *lines, "    return None"]) + "\n"
        names: dict[str, Any] = {
            "__builtins__": {}, **HELPERS, "Exception": Exception, "T": _all_text,
            "Scope": Scope, "W": self.world, "INF": inf, "datetime": datetime, "O": open_because, "UNKNOWN": Unknown,
            "W1": unknown_on_the_way, **self.writer.constants,
        }  # fmt: skip
        exec(compile(source, "<conditions>", "exec"), names)
        made: Callable[..., None] = names["ask"]
        return made

    def _one_by_one(self) -> Callable[..., None]:
        functions: list[Callable[..., None]] = []
        if len(self.codes) == 1 and not self.tables:
            position = self.codes[0].position
            return lambda r, i, p, l, found: found.append((position, None))  # noqa: E741
        if self.tables:
            looked_up = Generator(self.world)
            for path, get, blind in self.tables:
                looked_up.look_up(path, get, blind)
            functions.append(looked_up.function())
        for code in self.codes:
            alone = Generator(self.world)
            alone.add(code)
            functions.append(alone.function())

        def ask(r: Any, i: Any, p: Any, l: Any, found: list[Any]) -> None:  # noqa: E741
            for function in functions:
                function(r, i, p, l, found)

        return ask


__all__ = ["Generator"]
