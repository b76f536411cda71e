"""The catalogues: every rule of the shipped packs, and every error code, as pages.

`python -m exportguard.authoring.catalogue docs` writes them; a test holds them current.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from exportguard import reference
from exportguard.authoring.files import Kind, PolicyFile
from exportguard.authoring.runner import Loader
from exportguard.authoring.suite import Result, run_case
from exportguard.language import CompiledRule, PolicySource, Reference, load_policies
from exportguard.language.codes import EXPLANATIONS
from exportguard.language.parse import Mapping, parse
from exportguard.language.source import Scalar
from exportguard.packs import HISTORICAL, shipped_folder, shipped_packs

_GROUPS = (
    ("EG1", "The text and its shape"),
    ("EG2", "Conditions"),
    ("EG3", "Rules"),
    ("EG4", "Warnings"),
    ("EG5", "Documents beside policies"),
)
_BASIS = {
    "license_requirement": "restates a licence requirement of law",
    "prohibition": "restates a prohibition of law",
    "provider_terms": "a condition of a model's provider",
    "company_policy": "a choice of whoever runs the guard",
    "historical": "was law, or was announced as law",
}


def errors_page() -> str:
    """Every code with what it means."""
    lines = [
        "# Error catalogue",
        "",
        "<!-- Made by `python -m exportguard.authoring.catalogue docs`; do not edit. -->",
        "",
        "Codes are stable. `exportguard explain EG203` prints the same in a shell; `exportguard lint --format json`",
        "has them with file, line and column. Errors keep a policy set from loading; `EG4…` are warnings.",
    ]
    for prefix, title in _GROUPS:
        lines += ["", f"## {title}"]
        for code in sorted(code for code in EXPLANATIONS if code.startswith(prefix)):
            lines += ["", f"### {code}", "", EXPLANATIONS[code]]
    return "\n".join(lines) + "\n"


def rules_page() -> str:
    """Every rule of the shipped packs, with its citations, status and cases."""
    lines = [
        "# Rule catalogue",
        "",
        "<!-- Made by `python -m exportguard.authoring.catalogue docs`; do not edit. -->",
        "",
        "The shipped packs, rule by rule. `Guard.load()` takes all of them but the historical ones; `packs=[…]` and",
        "`--packs` take some. What a rule says is in the `policy.yaml` of its pack, its cases are in `tests.yaml`.",
    ]
    for pack in shipped_packs():
        lines += ["", *_pack(pack)]
    return "\n".join(lines) + "\n"


def _pack(name: str) -> list[str]:
    folder = shipped_folder() / name
    source = PolicySource.from_path(folder / "policy.yaml", f"{name}/policy.yaml")
    policies = load_policies([source], reference.default())
    results = _results(folder)
    titles = [line.removeprefix("title:").strip() for line in source.text.splitlines() if line.startswith("title:")]
    lines = [f"## {name}", ""]
    if titles:
        lines += [titles[0].strip("\"'") + ".", ""]
    if name in HISTORICAL:
        lines += ["*Historical: evaluated only when asked for by name.*", ""]
    lines.append(f"{len(policies.rules)} rules, {results['total']} cases.")
    variables = _variables(source)
    if variables:
        lines += ["", "Its variables:", "", *variables]
    cited = {r.cite: r for _, references in policies.references for r in references}
    for rule in policies.rules:
        lines += ["", *_rule(rule, cited, results)]
    return lines


def _variables(source: PolicySource) -> list[str]:
    """A line for each variable: its name and its text."""
    tree, _ = parse(source)
    rows = []
    for key, value in tree.entries if isinstance(tree, Mapping) else ():
        if key.text == "variables" and isinstance(value, Mapping):
            for name, text in value.entries:
                if isinstance(text, Scalar):
                    rows.append(f"- `{name.text}`: `{' '.join(text.text.split())}`")
    return rows


def _results(folder: Path) -> Counter[str]:
    """`total`: how many cases there are; `rule:…`: how many have the rule among their reasons."""
    found: Counter[str] = Counter()
    for path in sorted(folder.glob("*tests.yaml")):
        ready = Loader().ready(PolicyFile(path, Kind.SUITE))
        for case, line in ready.cases():
            result: Result = run_case(ready.guard, case, ready.text.suite.as_of, line)
            rules = {reason.rule for reason in result.decision.reasons} if result.decision is not None else set()
            found["total"] += 1
            for rule in rules:
                found[f"rule:{rule}"] += 1
    return found


def _rule(rule: CompiledRule, cited: dict[str, Reference], results: Counter[str]) -> list[str]:
    count = results[f"rule:{rule.id}"]
    facts = [
        f"**{rule.effect.value}**",
        f"`{rule.basis}`: {_BASIS.get(rule.basis, rule.basis)}",
        _in_force(rule),
    ]
    if rule.authorizable_by:
        facts.append("lifted by " + ", ".join(f"`{kind}`" for kind in sorted(rule.authorizable_by)))
    else:
        facts.append("lifted by nothing")
    if rule.if_unknown == "flag":
        facts.append(f"a missing fact only flags: {rule.why}")
    if rule.confidence:
        facts.append(f"confidence: {rule.confidence}")
    facts.append(f"among the reasons of {count} case{'s' if count != 1 else ''}")
    lines = [f"### {rule.id}", "", f"{rule.title}.", "", *(f"- {fact}" for fact in facts)]
    lines += [f"- {line}" for line in _cites(rule.cites, cited)]
    lines += ["", "```cel", rule.when.text.strip(), "```"]
    if rule.unless is not None:
        lines += ["", "unless", "", "```cel", rule.unless.text.strip(), "```"]
    return lines


def _in_force(rule: CompiledRule) -> str:
    parts = []
    for status, period in rule.statuses:
        span = _span(*period)
        parts.append(f"{status}{' ' + span if span else ''}")
    effective = _span(*rule.effective)
    return "status: " + ", ".join(parts) + (f"; effective {effective}" if effective else "")


def _span(start: datetime | None, stop: datetime | None) -> str:
    words = []
    if start is not None:
        words.append(f"from {start:%Y-%m-%d}")
    if stop is not None:
        words.append(f"until {stop:%Y-%m-%d}")
    return " ".join(words)


def _cites(cites: Iterable[str], cited: dict[str, Reference]) -> Iterable[str]:
    for cite in cites:
        known = cited.get(cite)
        told = [f"cites {cite}"]
        if known is not None and known.read:
            told.append(f"read {known.read}")
        if known is not None and known.confidence:
            told.append(known.confidence)
        yield ", ".join(told)


PAGES = {"rules.md": rules_page, "errors.md": errors_page}


def main(folder: Path) -> None:
    for name, make in PAGES.items():
        (folder / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
