"""Properties: what a policy set is claimed to do, in YAML, read with every problem at its place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal, TypeAlias, cast, get_args

from exportguard.authoring.proof.unknowns import Bounds
from exportguard.diagnostics import Diagnostic
from exportguard.errors import PolicyError
from exportguard.language import CompiledCondition, CompiledPolicySet, CompiledRule, PolicySource
from exportguard.language.conditions import check_condition
from exportguard.language.fields import Fields
from exportguard.language.parse import Mapping, parse
from exportguard.language.schema import Vocabularies
from exportguard.language.source import Scalar
from exportguard.language.syntax import substitute
from exportguard.language.variables import Variables
from exportguard.vocabulary.authorization import AuthorizationKind

if TYPE_CHECKING:
    from exportguard.reference import ReferenceData

Claim: TypeAlias = Literal[
    "never_allowed", "never_held", "never_denied", "always_allowed", "always_held", "always_denied",
    "sometimes_allowed", "sometimes_held", "sometimes_denied",
    "never_matches", "can_match", "shadowed", "not_shadowed", "implies", "disjoint", "equivalent", "covers",
]  # fmt: skip
"""`sometimes_*`, `can_match` and `not_shadowed` are shown by one request, the others by there being none."""

WITNESSED = frozenset({"sometimes_allowed", "sometimes_held", "sometimes_denied", "can_match", "not_shadowed"})
_RULES: dict[str, tuple[int, int | None]] = {
    "never_matches": (1, 1), "can_match": (1, 1), "shadowed": (1, 1), "not_shadowed": (1, 1), "implies": (2, 2),
    "disjoint": (2, 2), "equivalent": (2, 2), "covers": (1, None),
}  # fmt: skip
_FILE_KEYS = ("properties", "packs", "as_of", "variables", "claims")
_KEYS = ("id", "title", "claim", "when", "every", "rules", "by", "without", "as_of", "bounds")
_BOUNDS = ("items", "parties", "locations", "listings", "red_flags")
MOST = 8
"""The largest bound that may be asked for: combinations are items x parties x locations."""
NOT_READ = "no property was proved"


@dataclass(frozen=True, slots=True)
class Property:
    """One claim.

    `when` has to be surely true of some combination of what it names, `every` of all of them, for a request to be
    spoken of. `rules` and `by` are (policy, rule) ids. `lifting` are the kinds of authorization that may be there.
    `bounds` replaces what the claim needs: `{parties: 0}` speaks of requests that name nobody.
    """

    id: str
    title: str
    claim: Claim
    when: CompiledCondition | None = None
    every: CompiledCondition | None = None
    rules: tuple[tuple[str, str], ...] = ()
    by: tuple[tuple[str, str], ...] | None = None
    lifting: frozenset[str] = frozenset()
    as_of: datetime | None = None
    bounds: Bounds | None = None
    file: str = ""


@dataclass(frozen=True, slots=True)
class Properties:
    """The properties of one file. `as_of` is the instant that they speak of, where they name none of their own."""

    name: str
    as_of: datetime | None
    properties: tuple[Property, ...]


def load_properties(source: PolicySource, policies: CompiledPolicySet, reference: ReferenceData) -> Properties:
    """Read properties that speak of *policies*.

    Raises:
        PolicyError: with every problem of the text, each with its code and place.
    """
    tree, problems = parse(source)
    if tree is None:
        raise PolicyError(tuple(problems))
    if not isinstance(tree, Mapping):
        problem = source.problem(
            "EG112", "a properties file is a mapping", 0, 1, "starts otherwise", "start with `properties:`", NOT_READ
        )
        raise PolicyError((*problems, problem))
    reader = _Reader(source, policies, Vocabularies(reference), problems)
    found = reader.read(tree)
    if reader.problems:
        raise PolicyError(tuple(sorted(reader.problems, key=_place)))
    return found


def packs_of(source: PolicySource) -> tuple[str, ...] | None:
    """The packs that a file says it speaks of (`default`: all that are loaded by default); None: those beside it.

    A text that cannot be read names none here: `load_properties` tells what is wrong with it.
    """
    tree, _ = parse(source)
    if not isinstance(tree, Mapping):
        return None
    for key, value in tree.entries:
        if key.text == "packs":
            scalars = (value,) if isinstance(value, Scalar) else getattr(value, "items", ())
            return tuple(part.text.strip() for part in scalars if isinstance(part, Scalar))
    return None


class _Reader:
    def __init__(
        self, source: PolicySource, policies: CompiledPolicySet, words: Vocabularies, problems: list[Diagnostic]
    ) -> None:
        self.source, self.words, self.problems = source, words, problems
        self.rules: dict[tuple[str, str], CompiledRule] = {(rule.policy, rule.id): rule for rule in policies.rules}
        self.seen: set[str] = set()

    def read(self, tree: Mapping) -> Properties:
        fields = Fields(
            tree, self.problems, "a properties file", ("properties", "packs", "as_of", "variables", "claims")
        )
        fields.require("properties", "claims")
        self.variables = Variables(fields.mapping("variables"), self.words, self.problems)
        as_of = fields.moment("as_of")
        found: list[Property] = []
        sequence = fields.sequence("claims")
        for item in sequence.items if sequence is not None else ():
            if isinstance(item, Mapping):
                made = self.property(item, as_of)
                if made is not None:
                    found.append(made)
            else:
                fields.shape(item, "an entry of `claims`", "a mapping")
        return Properties(fields.text("properties") or "", as_of, tuple(found))

    def property(self, tree: Mapping, as_of: datetime | None) -> Property | None:
        before = len(self.problems)
        fields = Fields(tree, self.problems, "a claim", _KEYS)
        fields.require("id", "claim")
        name = fields.text("id", limit=200) or ""
        claim = cast("Claim", fields.word("claim", get_args(Claim)) or "never_allowed")
        self._once(fields, name)
        when, every = self.condition(fields, "when"), self.condition(fields, "every")
        rules = self.rule_names(fields, "rules")
        by = self.rule_names(fields, "by") if "by" in fields.values else None
        self._arity(fields, claim, rules, by)
        without = [fields.one_of(kind, [*_KINDS, "any"], "without") for kind in fields.scalars("without")]
        instant = fields.moment("as_of") or as_of
        bounds = self.bounds(fields)
        if len(self.problems) > before:
            return None
        lifting = frozenset(_KINDS) - {kind for kind in without if kind} if without else frozenset()
        return Property(
            id=name,
            title=fields.text("title") or name,
            claim=claim,
            when=when,
            every=every,
            rules=rules,
            by=by,
            lifting=frozenset() if "any" in without else lifting,
            as_of=instant,
            bounds=bounds,
            file=self.source.name,
        )

    def _once(self, fields: Fields, name: str) -> None:
        scalar = fields.values.get("id")
        if isinstance(scalar, Scalar) and name in self.seen:
            fields.problem(scalar, "EG301", f"the claim `{name}` is here twice", "", "ids are unique within a file")
        self.seen.add(name)

    def condition(self, fields: Fields, name: str) -> CompiledCondition | None:
        scalar = fields.scalar(name)
        if scalar is None:
            return None
        roots = ("request", "item", "party", "location")
        checked = check_condition(scalar, self.words, self.variables.checked, self.problems, True, "", roots)
        if checked is None or not checked.ok or not self.variables.all_ok(checked.node):
            return None
        return CompiledCondition(substitute(checked.node, self.variables.trees), scalar.text)

    def rule_names(self, fields: Fields, name: str) -> tuple[tuple[str, str], ...]:
        value = fields.values.get(name)
        scalars = (value,) if isinstance(value, Scalar) else fields.scalars(name)
        found: list[tuple[str, str]] = []
        for scalar in scalars:
            named = [key for key in self.rules if scalar.text in (key[1], f"{key[0]}/{key[1]}")]
            if len(named) == 1:
                found.append(named[0])
            elif named:
                both = ", ".join(f"`{policy}/{rule}`" for policy, rule in named)
                fields.problem(scalar, "EG302", f"`{scalar.text}` names several rules", "which of them?", both)
            else:
                self._unknown_rule(fields, scalar)
        return tuple(found)

    def _unknown_rule(self, fields: Fields, scalar: Scalar) -> None:
        known = {rule: f"{policy}/{rule}" for policy, rule in self.rules}
        known.update({full: full for full in known.values()})
        near = get_close_matches(scalar.text, known, n=1, cutoff=0.5)
        hint = f"did you mean `{known[near[0]]}`?" if near else "name it as `policy/rule`; the policy has to be loaded"
        fields.problem(scalar, "EG302", f"there is no rule `{scalar.text[:120]}`", "not loaded", hint)

    def _arity(
        self,
        fields: Fields,
        claim: str,
        rules: tuple[tuple[str, str], ...],
        by: tuple[tuple[str, str], ...] | None,
    ) -> None:
        least, most = _RULES.get(claim, (0, 0))
        given = len(fields.scalars("rules")) if not isinstance(fields.values.get("rules"), Scalar) else 1
        key = fields.keys.get("claim")
        if key is None:
            return
        if given < least or (most is not None and given > most):
            wanted = "no `rules`" if most == 0 else f"{least} under `rules`" if least == most else "`rules`"
            self.problems.append(key.problem("EG112", f"`{claim}` takes {wanted}", None, "", None, NOT_READ))
        if by is not None and claim not in ("shadowed", "not_shadowed"):
            text = f"`{claim}` takes no `by`"
            self.problems.append(fields.keys["by"].problem("EG112", text, None, "", None, NOT_READ))
        if claim.startswith("never_") and most == 0 and not {"when", "every"} & fields.values.keys():
            text = f"`{claim}` needs a `when` or an `every`: of which requests?"
            self.problems.append(key.problem("EG111", text, None, "", None, NOT_READ))

    def bounds(self, fields: Fields) -> Bounds | None:
        tree = fields.mapping("bounds")
        if tree is None:
            return None
        inner = Fields(tree, self.problems, "`bounds`", _BOUNDS)
        given: dict[str, int] = {}
        for name in _BOUNDS:
            scalar = inner.scalar(name)
            if scalar is None:
                continue
            text = scalar.text.strip()
            least = 1 if name == "items" else 0
            if not text.isascii() or not text.isdigit() or not least <= int(text) <= MOST:
                inner.problem(scalar, "EG112", f"`{name}` is a whole number from {least} to {MOST}", "out of range")
            else:
                given[name] = int(text)
        return Bounds(**given)


_KINDS = tuple(kind.value for kind in AuthorizationKind)


def _place(problem: Diagnostic) -> tuple[str, int, int, str]:
    span = problem.span
    return (span.file, span.line, span.column, problem.code) if span else ("", 0, 0, problem.code)
