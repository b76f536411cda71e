"""One policy document, from its YAML tree to compiled rules."""

from __future__ import annotations

import re
from typing import Any, Literal, cast, get_args

from exportguard.diagnostics import Diagnostic
from exportguard.language import policyset
from exportguard.language.cel import CelSyntaxError, comments, parse
from exportguard.language.check import Checked, Checker, substitute
from exportguard.language.compile import CompiledCondition, item_kinds
from exportguard.language.fields import NOT_LOADED, Fields, FromTo, read_period
from exportguard.language.message import read_message, speaker
from exportguard.language.parse import Mapping
from exportguard.language.schema import Vocabularies
from exportguard.language.source import Scalar
from exportguard.language.syntax import Node, walk
from exportguard.language.types import DYN as _DYN
from exportguard.vocabulary.authorization import AuthorizationKind
from exportguard.vocabulary.decision import Basis, Effect
from exportguard.vocabulary.fact import Confidence
from exportguard.vocabulary.questions import UsageQuestion

POLICY_KEYS = (
    "policy", "version", "title", "description", "basis", "references", "variables", "effective", "status", "rules",
)  # fmt: skip
RULE_KEYS = (
    "id", "title", "description", "effect", "basis", "when", "unless", "because", "remedy", "cites", "authorizable_by",
    "effective", "status", "if_unknown", "why", "per", "confidence",
)  # fmt: skip
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}\Z")
_PERIOD = re.compile(r"P(?:[1-9]\d{0,3}[DWMY]|T[1-9]\d{0,3}H)\Z")
_READ = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


class PolicyReader:
    """Reads one document; `problems` and `rules` grow."""

    def __init__(self, words: Vocabularies) -> None:
        self.words = words
        self.problems: list[Diagnostic] = []
        self.warnings: list[Diagnostic] = []
        self.rules: list[policyset.CompiledRule] = []
        self.references: tuple[policyset.Reference, ...] = ()
        self.policy: str = ""
        self.policy_scalar: Scalar | None = None
        self.seen: dict[str, Scalar] = {}

    def read(self, tree: Mapping) -> None:
        fields = Fields(tree, self.problems, "a policy", POLICY_KEYS)
        fields.require("policy", "rules")
        self.policy_scalar = fields.scalar("policy")
        self.policy = self.identifier(fields, "policy") or ""
        version = fields.text("version", limit=50) or "0"
        fields.text("title")
        fields.text("description", limit=20_000)
        basis = cast("Basis", fields.word("basis", get_args(Basis)) or "company_policy")
        self.references = self.read_references(fields)
        effective = read_period(fields.mapping("effective"), self.problems, "`effective`")
        statuses = self.read_status(fields)
        variables = Variables(fields.mapping("variables"), self.words, self.problems)
        sequence = fields.sequence("rules")
        for item in sequence.items if sequence is not None else ():
            if isinstance(item, Mapping):
                self.read_rule(item, version, basis, effective, statuses, variables)
            else:
                fields.shape(item, "an entry of `rules`", "a mapping")
        self.warnings.extend(variables.unused())

    def identifier(self, fields: Fields, name: str) -> str | None:
        value = fields.scalar(name)
        if value is None:
            return None
        if not _ID.match(value.text):
            fields.problem(
                value, "EG307", f"`{value.text[:60]}` is not an id", "not an id", "letters, digits, `-`, `_` and `.`"
            )
            return None
        return value.text

    def read_references(self, fields: Fields) -> tuple[policyset.Reference, ...]:
        found: list[policyset.Reference] = []
        sequence = fields.sequence("references")
        for item in sequence.items if sequence is not None else ():
            if not isinstance(item, Mapping):
                fields.shape(item, "an entry of `references`", "a mapping with `cite` and `read`")
                continue
            entry = Fields(item, self.problems, "a reference", ("cite", "read", "url", "note", "confidence"))
            entry.require("cite")
            read = entry.moment("read")
            confidence = entry.word("confidence", get_args(Confidence))
            found.append(
                policyset.Reference(
                    entry.text("cite") or "",
                    read.date().isoformat() if read else None,
                    entry.text("url"),
                    entry.text("note"),
                    cast("Confidence | None", confidence),
                )  # fmt: skip
            )
        return tuple(found)

    def read_status(self, fields: Fields) -> tuple[tuple[str, FromTo], ...] | None:
        """A word, or words each with its own dates: ``{enforced: {until: …}, suspended: {from: …}}``."""
        value = fields.values.get("status")
        if value is None:
            return None
        if isinstance(value, Scalar):
            word = fields.word("status", policyset.STATUSES)
            return ((word, (None, None)),) if word else None
        if not isinstance(value, Mapping):
            fields.shape(value, "status", "a word, or a mapping from status to dates")
            return None
        found: list[tuple[str, FromTo]] = []
        for key, period in value.entries:
            word = fields.one_of(key, policyset.STATUSES, "status")
            if not isinstance(period, Mapping):
                fields.shape(period, f"an entry of `{key.text}`", "`{from: …, until: …}`")
            elif word:
                found.append((word, read_period(period, self.problems, f"`{word}`")))
        return tuple(found) or None

    def read_rule(
        self,
        tree: Mapping,
        version: str,
        policy_basis: Basis,
        policy_effective: FromTo,
        policy_status: tuple[tuple[str, FromTo], ...] | None,
        variables: Variables,
    ) -> None:
        before = len(self.problems)
        fields = Fields(tree, self.problems, "a rule", RULE_KEYS)
        fields.require("id", "effect", "when")
        rule_id = self.identifier(fields, "id") or ""
        self.refuse_duplicate(fields.scalar("id") if rule_id else None)
        word = fields.word("effect", [e.value for e in Effect])
        effect = Effect(word) if word else Effect.DENY
        when = self.condition(fields, "when", variables, effect in (Effect.HOLD, Effect.FLAG) or not word)
        unless = self.condition(fields, "unless", variables, False)
        title = fields.text("title") or rule_id
        cites = tuple(cite.text.strip() for cite in fields.scalars("cites"))
        kinds = [
            fields.one_of(kind, [k.value for k in AuthorizationKind], "authorizable_by")
            for kind in fields.scalars("authorizable_by")
        ]
        fields.text("description", limit=20_000)
        if_unknown, why = self.read_if_unknown(fields)
        conditions = [c for c in (when, unless) if c is not None]
        roots = frozenset[str]().union(*(c.roots for c in conditions))
        paths = tuple(sorted({path for c in conditions for path in c.paths}))
        per = self.read_per(fields, roots if when is not None else None)
        because = fields.scalar("because")
        parts: Any = (title,)
        if because is not None:
            parts, found = read_message(because, self.words, roots if when is not None else None)
            self.problems.extend(found)
        basis = cast("Basis", fields.word("basis", get_args(Basis)) or policy_basis)
        effective = (
            read_period(fields.mapping("effective"), self.problems, "`effective`")
            if "effective" in fields.values
            else policy_effective
        )
        statuses = self.read_status(fields) or policy_status or (("enforced", (None, None)),)
        confidence = fields.word("confidence", get_args(Confidence)) or self.cited_confidence(cites)
        remedy = fields.text("remedy")
        if len(self.problems) > before or when is None:
            return
        self.rules.append(
            policyset.CompiledRule(
                policy=self.policy,
                policy_version=version,
                id=rule_id,
                title=title,
                effect=effect,
                basis=basis,
                because=because.text.strip() if because is not None else title,
                remedy=remedy,
                cites=cites,
                authorizable_by=frozenset(kind for kind in kinds if kind),
                effective=effective,
                statuses=statuses,
                if_unknown=if_unknown,
                why=why,
                per=per,
                confidence=cast("Confidence | None", confidence),
                roots=roots,
                kinds=item_kinds(paths),
                paths=paths,
                when=when,
                unless=unless,
                say=speaker(parts),
            )  # fmt: skip
        )

    def cited_confidence(self, cites: tuple[str, ...]) -> str | None:
        """The weakest confidence of the references that the rule cites."""
        order = get_args(Confidence)
        known = [r.confidence for r in self.references if r.confidence and r.cite in cites]
        return max(known, key=order.index) if known else None

    def refuse_duplicate(self, scalar: Scalar | None) -> None:
        if scalar is None:
            return
        earlier = self.seen.setdefault(scalar.text, scalar)
        if earlier is not scalar:
            line = earlier.source.line_column(earlier.start)[0]
            self.problems.append(
                scalar.problem(
                    "EG301",
                    f"the rule id `{scalar.text}` is here twice",
                    None,
                    f"first given in line {line}",
                    "ids are unique within a policy",
                    NOT_LOADED,
                )  # fmt: skip
            )

    def read_if_unknown(self, fields: Fields) -> tuple[str, str | None]:
        word = fields.word("if_unknown", ("hold", "flag")) or "hold"
        why = fields.text("why")
        if word == "flag" and why is None and "why" not in fields.keys:
            key = fields.keys["if_unknown"]
            self.problems.append(
                key.problem(
                    "EG305",
                    "`if_unknown: flag` needs a `why`",
                    None,
                    "lets requests pass whose facts are missing",
                    "say why this rule must not hold them",
                    NOT_LOADED,
                )  # fmt: skip
            )
        return word, why

    def read_per(self, fields: Fields, roots: frozenset[str] | None) -> UsageQuestion | None:
        tree = fields.mapping("per")
        if tree is None:
            if roots is not None and "usage" in roots and "per" not in fields.values:
                key = fields.keys["when"]
                self.problems.append(
                    key.problem(
                        "EG306",
                        "a rule over `usage` needs `per`",
                        None,
                        "over whom, and how long?",
                        "for example `per: {by: end_user, period: P1Y}`",
                        NOT_LOADED,
                    )  # fmt: skip
                )
            return None
        if roots is not None and "usage" not in roots:
            key = fields.keys["per"]
            self.problems.append(
                key.problem(
                    "EG306",
                    "`per` without `usage`",
                    None,
                    "no condition of the rule mentions `usage`",
                    None,
                    NOT_LOADED,
                )
            )
        inner = Fields(tree, self.problems, "`per`", ("by", "period"))
        inner.require("by")
        by = inner.word("by", ("end_user", "customer", "account"), "EG306")
        value = inner.values.get("period")
        period: str | None = None
        if not (isinstance(value, Scalar) and value.style is None and value.text in ("null", "~")):
            scalar = inner.scalar("period")
            if scalar is not None and not _PERIOD.match(scalar.text):
                inner.problem(
                    scalar,
                    "EG306",
                    f"`{scalar.text[:60]}` is not a period",
                    "not a period",
                    "as in `P1D`, `P1M`, `P1Y`, `PT1H`",
                )
            elif scalar is not None:
                period = scalar.text
        return UsageQuestion(cast("Literal['end_user', 'customer', 'account']", by), period) if by else None

    def condition(self, fields: Fields, name: str, variables: Variables, may_ask: bool) -> CompiledCondition | None:
        scalar = fields.scalar(name)
        if scalar is None:
            return None
        refusal = (
            "an `unless` may not ask `unknown(…)`: a missing fact must not lift a rule"
            if name == "unless"
            else "it belongs into the `when` of a hold or flag rule: a missing fact holds, it does not deny"
        )
        checked = check_condition(scalar, self.words, variables.checked, self.problems, may_ask, refusal)
        variables.note_use(checked)
        if checked is None or not checked.ok or not variables.all_ok(checked.node):
            return None
        return CompiledCondition(substitute(checked.node, variables.trees), scalar.text)


class Variables:
    """The `variables:` of a policy: checked in the order they need each other; a cycle is a problem of each in it."""

    def __init__(self, tree: Mapping | None, words: Vocabularies, problems: list[Diagnostic]) -> None:
        self.words, self.problems = words, problems
        self.scalars: dict[str, Scalar] = {}
        self.keys: dict[str, Scalar] = {}
        self.parsed: dict[str, Node | None] = {}
        self.checked: dict[str, Checked] = {}
        self.trees: dict[str, Node] = {}
        self.used: set[str] = set()
        for key, value in tree.entries if tree is not None else ():
            if not _NAME.match(key.text):
                self.problems.append(
                    key.problem(
                        "EG307",
                        f"`{key.text[:60]}` is not a name",
                        None,
                        "not a name",
                        "letters, digits and `_`",
                        NOT_LOADED,
                    )
                )
            elif not isinstance(value, Scalar) or not value.text.strip():
                self.problems.append(
                    key.problem(
                        "EG112",
                        f"the variable `{key.text}` is not a condition",
                        None,
                        "needs CEL text",
                        None,
                        NOT_LOADED,
                    )
                )
            elif key.text not in self.scalars:
                self.scalars[key.text], self.keys[key.text] = value, key
        for name, scalar in self.scalars.items():
            self.parsed[name] = parse_condition(scalar, self.problems)
        self._check_in_order()

    def needs(self, name: str) -> list[str]:
        node = self.parsed.get(name)
        if node is None:
            return []
        return list(dict.fromkeys(str(n.value) for n in walk(node) if n.op == "var" and n.value in self.scalars))

    def _check_in_order(self) -> None:
        """Those first that need none unchecked; what is left over at the end goes round in circles."""
        waiting = dict.fromkeys(self.scalars)
        progress = True
        while progress:
            progress = False
            for name in list(waiting):
                if all(needed in self.checked for needed in self.needs(name)):
                    del waiting[name]
                    self._check(name)
                    progress = True
        for name in waiting:
            circle = " -> ".join(f"`{n}`" for n in self._circle(name, waiting))
            self.problems.append(
                self.keys[name].problem(
                    "EG216", f"the variable `{name}` needs itself", None, "defined by itself", circle, NOT_LOADED
                )
            )
            self.checked[name] = Checked(Node("lit", (), False), _DYN, 1, 1, False, False)

    def _circle(self, name: str, waiting: dict[str, None]) -> list[str]:
        path = [name]
        while True:
            following = next(needed for needed in self.needs(path[-1]) if needed in waiting)
            if following in path:
                return [*path[path.index(following) :], following]
            path.append(following)

    def _check(self, name: str) -> None:
        node = self.parsed[name]
        if node is None:
            self.checked[name] = Checked(Node("lit", (), False), _DYN, 1, 1, False, False)
            return
        # `unknown(…)` may stand in a variable; where the variable is used decides whether it may be asked there.
        checker = Checker(self.scalars[name], self.words, self.checked, may_ask_unknown=True)
        checked = checker.check(node)
        self.problems.extend(checker.problems)
        if not self.all_ok(checked.node):
            checked = Checked(checked.node, checked.type, checked.size, checked.cost, checked.asks_unknown, False)
        self.checked[name] = checked
        if checked.ok:
            self.trees[name] = substitute(checked.node, self.trees)

    def all_ok(self, node: Node) -> bool:
        names = {str(n.value) for n in walk(node) if n.op == "var"}
        return all(name in self.checked and self.checked[name].ok for name in names)

    def note_use(self, checked: Checked | None) -> None:
        pending = [str(n.value) for n in walk(checked.node) if n.op == "var"] if checked is not None else []
        while pending:
            name = pending.pop()
            if name not in self.used:
                self.used.add(name)
                pending.extend(self.needs(name))

    def unused(self) -> list[Diagnostic]:
        return [
            Diagnostic(
                "EG402",
                "warning",
                f"the variable `{name}` is not used",
                key.source.span(key.start, key.end),
                "never used",
            )
            for name, key in self.keys.items()
            if name not in self.used
        ]


def parse_condition(scalar: Scalar, problems: list[Diagnostic]) -> Node | None:
    """The untyped tree of a condition's text."""
    for at in comments(scalar.text):
        if scalar.joined_lines(at):
            problems.append(
                scalar.problem(
                    "EG220",
                    "this comment swallows the lines after it",
                    (at, at + 2),
                    "the text is folded into one line",
                    "write the condition as a block after `|`",
                    NOT_LOADED,
                )  # fmt: skip
            )
            return None
    try:
        return parse(scalar.text)
    except CelSyntaxError as error:
        problems.append(scalar.problem(error.code, error.message, error.at, error.label, error.hint, NOT_LOADED))
        return None


def check_condition(
    scalar: Scalar,
    words: Vocabularies,
    variables: dict[str, Checked],
    problems: list[Diagnostic],
    may_ask: bool,
    refusal: str,
    roots: tuple[str, ...] | None = None,
) -> Checked | None:
    """Parse and check a condition; None if it cannot be parsed."""
    node = parse_condition(scalar, problems)
    if node is None:
        return None
    checker = Checker(scalar, words, variables, may_ask_unknown=may_ask, unknown_refusal=refusal)
    if roots is not None:
        checker.roots = roots
    checked = checker.condition(node)
    problems.extend(checker.problems)
    return checked
