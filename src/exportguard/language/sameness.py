"""Whether a rule still asks and does what it did: a digest of that, wording and place aside."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from exportguard.language.compile import CompiledCondition
from exportguard.language.policyset import CompiledRule, FromTo


def rule_digest(rule: CompiledRule) -> str:
    """SHA-256 over what *rule* asks, of whom, when it is in force, what follows and what lifts it. Not over how it is
    called, cited and explained, nor over the version of its policy: those change without it."""
    said = {
        "effect": rule.effect.value,
        "if_unknown": rule.if_unknown,
        "per": list(rule.per) if rule.per else None,
        "authorizable_by": sorted(rule.authorizable_by),
        "effective": _period(rule.effective),
        "statuses": [[name, _period(period)] for name, period in rule.statuses],
        "when": _outline(rule.when),
        "unless": _outline(rule.unless) if rule.unless else None,
    }
    return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _period(period: FromTo) -> list[str | None]:
    return [moment.isoformat() if moment is not None else None for moment in period]


def _outline(condition: CompiledCondition) -> list[Any]:
    """The tree, each part once however often it is there: a set from the cache shares other parts than a fresh one."""
    lines: list[Any] = []
    numbers: dict[str, int] = {}
    seen: dict[int, int] = {}

    def number(node: Any) -> int:
        known = seen.get(id(node))
        if known is None:
            line = [node.op, node.type, repr(node.value), [number(arg) for arg in node.args]]
            text = json.dumps(line)
            known = numbers.get(text)
            if known is None:
                lines.append(line)
                known = numbers[text] = len(lines)
            seen[id(node)] = known
        return known

    number(condition.tree)
    return lines
