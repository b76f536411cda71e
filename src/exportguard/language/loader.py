"""Loading: policy texts to a `CompiledPolicySet`, all problems at once, nothing half."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from exportguard.diagnostics import Diagnostic
from exportguard.errors import PolicyError
from exportguard.language.compile import CompiledCondition
from exportguard.language.conditions import check_condition
from exportguard.language.fields import NOT_LOADED
from exportguard.language.parse import Mapping
from exportguard.language.policyset import CompiledPolicySet, CompiledRule, Reference, digest_of
from exportguard.language.readpast import as_written, read_past
from exportguard.language.rules import PolicyReader
from exportguard.language.schema import Vocabularies
from exportguard.language.source import PolicySource, Scalar

if TYPE_CHECKING:
    from exportguard.reference import ReferenceData


def load_policies(sources: Sequence[PolicySource], reference: ReferenceData) -> CompiledPolicySet:
    """Read, check and compile policies.

    The order of *sources* changes nothing; an identical policy given twice counts once.

    Args:
        sources: policy texts; each holds one policy document.
        reference: where the closed vocabularies come from.

    Raises:
        PolicyError: with every problem of every source; nothing is loaded then.
    """
    words = Vocabularies(reference)
    problems: list[Diagnostic] = []
    warnings: list[Diagnostic] = []
    readers: list[PolicyReader] = []
    known: dict[str, PolicyReader] = {}
    texts: set[str] = set()
    for source in sources:
        if source.text in texts:
            continue
        texts.add(source.text)
        tree, found = read_past(source)
        problems += found
        if tree is None or (found and not isinstance(tree, Mapping)):
            continue
        if not isinstance(tree, Mapping):
            problems.append(
                source.problem(
                    "EG112", "a policy is a mapping", 0, 1, "starts otherwise", "start with `policy: name`", NOT_LOADED
                )
            )
            continue
        reader = PolicyReader(words)
        reader.read(tree)
        problems += as_written(reader.problems, source) if found else reader.problems
        warnings += reader.warnings
        readers.append(reader)
        problems += _refuse_same_name(reader, known)
    if problems:
        raise PolicyError(tuple(sorted(problems, key=_place)))
    rules = sorted((rule for reader in readers for rule in reader.rules), key=lambda r: (r.policy, r.id))
    return CompiledPolicySet(
        tuple(rules),
        digest_of([_document(rule) for rule in rules]),
        tuple(sorted(warnings, key=_place)),
        tuple(sorted((reader.policy, reader.references) for reader in readers if reader.references)),
    )


def compile_scope(
    text: str, reference: ReferenceData, *, name: str, warnings: list[Diagnostic] | None = None
) -> CompiledCondition:
    """Compile the scope of an authorization: a condition over `item`, `party`, `location` and `request`.

    Args:
        name: what diagnostics call the text (the authorization's id, or its file).
        warnings: takes what is most likely not meant.

    Raises:
        PolicyError: with every problem of the text.
    """
    source = PolicySource(name, text)
    problems = source.refuse_unreadable()
    if not problems:
        scalar = Scalar(source, source.text, 0, len(source.text), "|")
        object.__setattr__(scalar, "offsets", list(range(len(source.text) + 1)))
        checked = check_condition(
            scalar,
            Vocabularies(reference),
            {},
            problems,
            False,
            "an authorization may not ask `unknown(…)`: a missing fact must not lift a rule",
            ("request", "item", "party", "location"),
            warnings,
        )
        if checked is not None and not problems:
            return CompiledCondition(checked.node, text)
    raise PolicyError(tuple(problems))


def _refuse_same_name(reader: PolicyReader, known: dict[str, PolicyReader]) -> list[Diagnostic]:
    if not reader.policy or reader.policy_scalar is None:
        return []
    earlier = known.setdefault(reader.policy, reader)
    if earlier is reader or earlier.policy_scalar is None:
        return []
    return [
        reader.policy_scalar.problem(
            "EG301",
            f"the policy `{reader.policy}` is loaded twice",
            None,
            f"also in {earlier.policy_scalar.source.name}",
            "two policies need two names",
            NOT_LOADED,
        )
    ]


def _place(problem: Diagnostic) -> tuple[str, int, int, str]:
    span = problem.span
    return (span.file, span.line, span.column, problem.code) if span else ("", 0, 0, problem.code)


def _document(rule: CompiledRule) -> Any:
    """What a rule says, as plain data: the digest is over this, so that comments and layout do not change it."""

    def moment(instant: datetime | None) -> str | None:
        return instant.isoformat() if instant is not None else None

    return {
        "policy": rule.policy,
        "version": rule.policy_version,
        "id": rule.id,
        "title": rule.title,
        "effect": rule.effect.value,
        "basis": rule.basis,
        "because": rule.because,
        "remedy": rule.remedy,
        "cites": list(rule.cites),
        "authorizable_by": sorted(rule.authorizable_by),
        "effective": [moment(m) for m in rule.effective],
        "statuses": [[name, [moment(m) for m in period]] for name, period in rule.statuses],
        "if_unknown": rule.if_unknown,
        "why": rule.why,
        "per": list(rule.per) if rule.per else None,
        "confidence": rule.confidence,
        "when": _outline(rule.when),
        "unless": _outline(rule.unless) if rule.unless else None,
    }


def _outline(condition: CompiledCondition) -> list[Any]:
    """The tree without places: shared parts are numbered, so that variables used often cost little."""
    seen: dict[int, int] = {}
    lines: list[Any] = []

    def number(node: Any) -> int:
        if id(node) not in seen:
            args = [number(arg) for arg in node.args]
            value = node.value.hex() if isinstance(node.value, float) else node.value
            value = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
            lines.append([node.op, node.type, _plain(value), args])
            seen[id(node)] = len(lines)
        return seen[id(node)]

    number(condition.tree)
    return lines


def _plain(value: Any) -> Any:
    return [_plain(part) for part in value] if isinstance(value, tuple) else value


__all__ = ["Reference", "compile_scope", "load_policies"]
