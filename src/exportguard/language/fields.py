"""Reading the keys of a policy document: known keys, required ones, text, lists, dates. Collects every problem."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Mapping as MappingOf
from datetime import UTC, datetime
from difflib import get_close_matches

from exportguard.diagnostics import Diagnostic
from exportguard.language.conversions import parse_timestamp
from exportguard.language.parse import Hole, Mapping, Sequence, Tree
from exportguard.language.policyset import FromTo
from exportguard.language.source import Scalar

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_EMPTY = ("", "~", "null", "Null", "NULL")
_CALLED = {
    **dict.fromkeys(("if", "condition", "conditions", "match", "expr", "expression", "cel", "rule"), "when"),
    **dict.fromkeys(("message", "reason"), "because"),
    **dict.fromkeys(("action", "decision", "verdict", "severity"), "effect"),
    **dict.fromkeys(("except", "unlessany", "exception"), "unless"),
    **dict.fromkeys(("to", "end", "expires"), "until"),
    **dict.fromkeys(("start", "since"), "from"),
    **dict.fromkeys(("cite", "citations", "references"), "cites"),
    **dict.fromkeys(("fix", "advice", "help"), "remedy"),
    **dict.fromkeys(("window", "over"), "period"),
}
"""What keys are called in other policy languages."""
_SHAPES: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("rules", "references", "cites", "authorizable_by"), Sequence),
    **dict.fromkeys(("variables", "effective", "per"), Mapping),
    "status": (Scalar, Mapping),
}
_NEEDED = {
    "policy": "a policy has a name: `policy: my-policy`",
    "rules": "its rules are a list, each of which starts with `- id: …`",
    "id": "a rule has a name of its own: `id: headquarters-in-d5`",
    "effect": "say what a match does: `effect: deny`, `hold` or `flag`",
    "when": 'the condition: `when: party.country == "CN"`',
    "by": "say over whom: `by: end_user`, `customer` or `account`",
}
MAX_SHORT = 2000
"""Characters in a title, remedy or cite."""


class Fields:
    """The entries of one mapping."""

    def __init__(self, tree: Mapping, problems: list[Diagnostic], what: str, known: Iterable[str]) -> None:
        self.tree, self.problems, self.what = tree, problems, what
        self.known = tuple(known)
        self.values: dict[str, Tree] = {}
        self.keys: dict[str, Scalar] = {}
        meant: list[tuple[str, Scalar, Tree]] = []
        for key, value in tree.entries:
            if key.text not in self.known:
                close = self._unknown(key)
                meant += [(close, key, value)] if close is not None else []
            elif key.text not in self.keys:
                self.keys[key.text] = key
                if not isinstance(value, Hole):
                    self.values[key.text] = value

        # A key that was misspelt is not missing as well, and what stands behind it is looked at too.
        for name, key, value in meant:
            if name not in self.keys:
                self.keys[name] = key
                empty = isinstance(value, Scalar) and not value.text
                if isinstance(value, _SHAPES.get(name, Scalar)) and not empty:
                    self.values[name] = value

    def _unknown(self, key: Scalar) -> str | None:
        """Report a key that is not known; the one that was most likely meant."""
        unspaced = key.text.partition(":")[0]
        meant = _CALLED.get(key.text.lower())
        close = [meant] if meant in self.known else get_close_matches(key.text.lower(), self.known, n=1, cutoff=0.6)
        hint = f"did you mean `{close[0]}`?" if close else f"{self.what} has {', '.join(f'`{k}`' for k in self.known)}"
        if unspaced != key.text and unspaced in self.known:
            close, hint = [unspaced], f"a space belongs after the colon: `{unspaced}: {key.text[len(unspaced) + 1 :]}`"
        self.problems.append(
            key.problem("EG110", f"unknown key `{key.text[:60]}`", None, f"not a key of {self.what}", hint, NOT_LOADED)
        )
        return close[0] if close else None

    def require(self, *names: str) -> None:
        for name in names:
            if name not in self.keys and not self.tree.partial:
                at = self.tree.start
                self.problems.append(
                    self.tree.source.problem(
                        "EG111",
                        f"{self.what} needs `{name}`",
                        at,
                        at + 1,
                        f"`{name}` is missing",
                        _NEEDED.get(name, f"add `{name}: …`"),
                        NOT_LOADED,
                    )
                )

    def scalar(self, name: str) -> Scalar | None:
        """The text under a key. A key without a value is a problem, never a default."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, Scalar):
            self.shape(value, name, "text")
            return None
        if (value.style is None and value.text in _EMPTY) or not value.text.strip():
            self.problems.append(
                self.keys[name].problem(
                    "EG112", f"`{name}` has no value", None, "empty", "give it one, or drop the key", NOT_LOADED
                )
            )
            return None
        return value

    def text(self, name: str, *, limit: int = MAX_SHORT) -> str | None:
        value = self.scalar(name)
        if value is None:
            return None
        text = value.text.strip()
        if len(text) > limit:
            told = f"`{name}` has at most {limit} characters"
            self.problem(value, "EG112", told, "too long", "say it shorter; `description` may be long")
            return text[:limit]
        return text

    def word(self, name: str, allowed: Iterable[str], code: str = "EG302") -> str | None:
        """A word of a closed vocabulary."""
        value = self.scalar(name)
        return None if value is None else self.one_of(value, allowed, name, code)

    def one_of(self, value: Scalar, allowed: Iterable[str], name: str, code: str = "EG302") -> str | None:
        words = tuple(allowed)
        if value.text in words:
            return value.text
        folded = {word.lower().replace("_", ""): word for word in words}
        text = value.text.lower().replace("_", "").replace("-", "").replace(" ", "")
        close = get_close_matches(text, folded, n=1, cutoff=0.6)
        hint = f"did you mean `{folded[close[0]]}`?" if close else f"one of {', '.join(f'`{w}`' for w in words)}"
        self.problem(value, code, f"`{value.text[:60]}` is not a value of `{name}`", "not known", hint)
        return None

    def scalars(self, name: str) -> tuple[Scalar, ...]:
        """The texts of a list."""
        value = self.values.get(name)
        if value is None:
            return ()
        if not isinstance(value, Sequence):
            self.shape(value, name, "a list: `[…]`")
            return ()
        found: list[Scalar] = []
        for item in value.items:
            if isinstance(item, Scalar) and item.text.strip():
                found.append(item)
            else:
                self.shape(item, f"an entry of `{name}`", "text")
        return tuple(found)

    def shape(self, value: Tree, name: str, wanted: str) -> None:
        shown = name if name.startswith("an ") else f"`{name}`"
        is_a = {"Scalar": "text", "Sequence": "a list", "Mapping": "a mapping"}[type(value).__name__]
        if isinstance(value, Scalar) and value.style is None and value.text in _EMPTY:
            is_a = "empty"
        self.problems.append(
            value.source.problem(
                "EG112",
                f"{shown} is {wanted}",
                value.start,
                value.end if isinstance(value, Scalar) else value.start + 1,
                f"this is {is_a}",
                _reshaped(value, name, wanted),
                NOT_LOADED,
            )
        )

    def problem(self, value: Scalar, code: str, message: str, label: str = "", hint: str | None = None) -> None:
        self.problems.append(value.problem(code, message, None, label, hint, NOT_LOADED))

    def mapping(self, name: str) -> Mapping | None:
        value = self.values.get(name)
        if value is None or isinstance(value, Mapping):
            return value
        self.shape(value, name, "a mapping")
        return None

    def sequence(self, name: str) -> Sequence | None:
        value = self.values.get(name)
        if value is None or isinstance(value, Sequence):
            return value
        self.shape(value, name, "a list")
        return None

    def moment(self, name: str) -> datetime | None:
        """A date (its first instant, UTC) or an RFC 3339 time with an offset."""
        value = self.scalar(name)
        if value is None:
            return None
        text = value.text.strip()
        try:
            if _DATE.match(text):
                return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
            return parse_timestamp(text)
        except ValueError:
            self.problem(
                value,
                "EG303",
                f"`{text[:60]}` is not a date",
                "not a date",
                "write `2023-11-17`, or `2023-11-17T00:00:00Z`",
            )
            return None


def _reshaped(value: Tree, name: str, wanted: str) -> str | None:
    """How a value of the wrong shape was probably meant."""
    if name.startswith("an entry of `") and wanted == "text":
        return f"text that starts with `{value.source.text[value.start : value.start + 1]}` stands between quotes"
    if wanted == "a list: `[…]`" and isinstance(value, Scalar):
        return f"`{name}: [{value.text[:60]}]`"
    if name == "per" and isinstance(value, Scalar):
        return "for example `per: {by: end_user, period: P1Y}`"
    if name == "rules" and isinstance(value, Mapping):
        return "each rule starts with `- `, as in `- id: …`"
    if name in ("rules", "an entry of `rules`"):
        return "a rule is `- id: …`, with its `effect` and its `when` below"
    if name == "variables":
        return "for example `variables: {controlled: 'item.eccn == \"3A090.a\"'}`"
    if name in ("references", "an entry of `references`"):
        return "for example `- {cite: 15 CFR 744.23, read: 2026-07-23}`"
    if name == "status" or name.startswith("an entry of"):
        return "for example `status: enforced`, or `status: {enforced: {until: 2026-01-01}}`"
    if name == "effective":
        return "for example `effective: {from: 2024-01-01}`"
    if wanted != "text":
        return None
    if name not in ("when", "unless"):
        opener = value.source.text[value.start : value.start + 1]
        return f"text that starts with `{opener}` stands between quotes" if opener in "[{" else None
    if value.source.text[value.start : value.start + 1] not in "[{":
        return "one condition, its parts joined by `&&` or `||`, in a block after `|`"
    return "a condition that starts with `[` or `{` stands in a block after `|`"


NOT_LOADED = "the policy set was not loaded"


def read_period(tree: Mapping | None, problems: list[Diagnostic], what: str) -> FromTo:
    """`{from: …, until: …}`, half-open, UTC."""
    if tree is None:
        return None, None
    fields = Fields(tree, problems, what, ("from", "until"))
    start, stop = fields.moment("from"), fields.moment("until")
    if start is not None and stop is not None and stop <= start:
        until = fields.values["until"]
        if isinstance(until, Scalar):
            fields.problem(
                until,
                "EG304",
                "`until` is not after `from`",
                "ends before it starts",
                "`until` is the first instant that is out",
            )
    return start, stop


__all__ = ["NOT_LOADED", "Fields", "FromTo", "MappingOf", "read_period"]
