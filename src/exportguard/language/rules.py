"""One policy document, from its YAML tree to compiled rules."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any, Literal, cast, get_args

from exportguard.diagnostics import Diagnostic
from exportguard.language import policyset
from exportguard.language.compile import CompiledCondition, item_kinds
from exportguard.language.conditions import check_condition
from exportguard.language.fields import NOT_LOADED, Fields, FromTo, read_period
from exportguard.language.message import Message
from exportguard.language.parse import Hole, Mapping
from exportguard.language.readmessage import left_as_they_are, read_message
from exportguard.language.schema import Vocabularies
from exportguard.language.source import Scalar
from exportguard.language.syntax import substitute
from exportguard.language.variables import Variables
from exportguard.vocabulary.authorization import AuthorizationKind
from exportguard.vocabulary.decision import Basis, Effect
from exportguard.vocabulary.fact import Confidence
from exportguard.vocabulary.questions import UsageQuestion

POLICY_KEYS = (
    "policy",
    "version",
    "title",
    "description",
    "basis",
    "references",
    "variables",
    "effective",
    "status",
    "rules",
)
RULE_KEYS = (
    "id",
    "title",
    "description",
    "effect",
    "basis",
    "when",
    "unless",
    "because",
    "remedy",
    "cites",
    "authorizable_by",
    "effective",
    "status",
    "if_unknown",
    "why",
    "per",
    "confidence",
)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
_PERIOD = re.compile(r"P(?:[1-9]\d{0,3}[DWMY]|T[1-9]\d{0,3}H)\Z", re.ASCII)


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
        self.policy_scalar = self.identifier(fields, "policy")
        self.policy = self.policy_scalar.text if self.policy_scalar is not None else ""
        version = fields.text("version", limit=50) or "0"
        fields.text("title")
        fields.text("description", limit=20_000)
        basis = cast("Basis", fields.word("basis", get_args(Basis)) or "company_policy")
        self.references = self.read_references(fields)
        effective = read_period(fields.mapping("effective"), self.problems, "`effective`")
        statuses = self.read_status(fields)
        variables = Variables(fields.mapping("variables"), self.words, self.problems)
        sequence = fields.sequence("rules")
        if sequence is not None and not sequence.items:
            key = fields.keys["rules"]
            span = key.source.span(key.start, key.end)
            hint = "add a rule, or drop the policy"
            self.warnings.append(
                Diagnostic("EG412", "warning", "the policy has no rules", span, "decides nothing", hint)
            )
        for item in sequence.items if sequence is not None else ():
            if isinstance(item, Mapping):
                self.read_rule(item, version, basis, effective, statuses, variables)
            else:
                fields.shape(item, "an entry of `rules`", "a mapping")
        self.warnings += [*variables.warnings, *variables.unused()]

    def identifier(self, fields: Fields, name: str) -> Scalar | None:
        value = fields.scalar(name)
        if value is not None and not _ID.match(value.text):
            fields.problem(
                value, "EG307", f"`{value.text[:60]}` is not an id", "not an id", "letters, digits, `-`, `_` and `.`"
            )
            return None
        return value

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
                )
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
            if isinstance(period, Hole):
                continue
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
        named = self.identifier(fields, "id")
        rule_id = named.text if named is not None else ""
        self.refuse_duplicate(named)
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
        for key in ("title", "because", "remedy"):
            if isinstance(text := fields.values.get(key), Scalar):
                self.warnings += left_as_they_are(text, key)
        basis = cast("Basis", fields.word("basis", get_args(Basis)) or policy_basis)
        effective = (
            read_period(fields.mapping("effective"), self.problems, "`effective`")
            if "effective" in fields.values
            else policy_effective
        )
        statuses = self.read_status(fields) or policy_status or (("enforced", (None, None)),)
        self.warn_of_dates(fields, effective, statuses)
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
                say=Message(parts),
            )
        )

    def warn_of_dates(self, fields: Fields, effective: FromTo, statuses: tuple[tuple[str, FromTo], ...]) -> None:
        """A rule that is in force at no instant, and statuses of which two hold at once."""
        named = fields.values.get("id")
        name = f"{self.policy}/{named.text}" if isinstance(named, Scalar) else self.policy

        def warn(code: str, message: str, label: str) -> None:
            key = next(fields.keys[k] for k in ("status", "effective", *fields.keys) if k in fields.keys)
            span = key.source.span(key.start, key.end)
            self.warnings.append(
                Diagnostic(code, "warning", message, span, label, "date each status, or drop what has ended")
            )

        if not any(policyset.meet(effective, period) for status, period in statuses if status in policyset.ASKED):
            warn("EG401", f"the rule `{name}` is never in force", "its status and dates leave no instant")
        pairs = combinations(statuses, 2)
        both = next(((one, other) for one, other in pairs if policyset.meet(one[1], other[1])), None)
        if both is not None:
            stricter = min(both, key=lambda entry: policyset.STRICTEST_FIRST.index(entry[0]))[0]
            words = f"the rule `{name}` is `{both[0][0]}` and `{both[1][0]}` at once"
            warn("EG411", words, f"`{stricter}` counts: give each its dates")
        elif (gap := policyset.first_gap(effective, [period for _, period in statuses])) is not None:
            words = f"the rule `{name}` has no status from {gap[0]:%Y-%m-%d} to {gap[1]:%Y-%m-%d}"
            warn("EG415", words, "it is not asked in between")

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
                )
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
                )
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
                    )
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
                    "drop it, or ask `usage.tokens`, `usage.accelerators` or `usage.tpp`",
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
        checked = check_condition(
            scalar, self.words, variables.checked, self.problems, may_ask, refusal, warnings=self.warnings
        )
        variables.note_use(checked)
        if checked is None or not checked.ok or not variables.all_ok(checked.node):
            return None
        return CompiledCondition(substitute(checked.node, variables.trees), scalar.text)
