"""Coverage as one HTML page that needs nothing else."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Any

from exportguard.authoring.coverage import Bound, Clause, Coverage, RuleCoverage

_STYLE = """
:root { color-scheme: light dark; --good: #1a7f37; --part: #9a6700; --none: #cf222e; --line: #8884; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
code { font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; display: flex; gap: 1rem; justify-content: space-between; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
td, th { border-bottom: 1px solid var(--line); padding: .25rem .5rem; text-align: left; vertical-align: top; }
.good { color: var(--good); } .part { color: var(--part); } .none { color: var(--none); }
"""


def page(coverage: Coverage) -> str:
    """The page. Everything of a policy in it is escaped."""
    rules = "\n".join(_rule(covered) for covered in coverage.rules)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Policy coverage</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>Policy coverage: <span class="{_class(coverage.percent)}">{coverage.percent:.1f} %</span></h1>
<p>{len(coverage.rules)} rules, {coverage.cases} cases. A rule is covered when it has matched and not matched, each
clause of its conditions has been true and false, and each number and date in it has been tried on both sides.</p>
{rules}
</body>
</html>
"""


def _class(percent: float) -> str:
    return "good" if percent >= 99.995 else "part" if percent >= 50 else "none"


def _rule(covered: RuleCoverage) -> str:
    opened = " open" if covered.gaps else ""
    counts = ", ".join(f"{result.replace('_', ' ')}: {count}" for result, count in covered.results.items())
    clauses = "\n".join(_clause(clause) for clause in covered.clauses)
    bounds = "\n".join(_bound(bound) for bound in covered.bounds)
    head = "<tr><th>clause</th><th>true</th><th>false</th><th>open</th></tr>"
    sides = "<tr><th>bound</th><th>nearest on the lower side</th><th>nearest on the upper side</th></tr>"
    return f"""<details{opened}>
<summary><span><code>{escape(covered.name)}</code> {escape(covered.rule.title)}</span>
<span class="{_class(covered.percent)}">{covered.percent:.0f} %</span></summary>
<p>{counts}</p>
<table>{head}{clauses}</table>
{f"<table>{sides}{bounds}</table>" if bounds else ""}
</details>"""


def _clause(clause: Clause) -> str:
    def cell(count: int) -> str:
        return f'<td class="{"good" if count else "none"}">{count or "never"}</td>'

    where = "" if clause.where == "when" else "unless "
    text = f"<td>{where}<code>{escape(clause.text)}</code></td>"
    return f"<tr>{text}{cell(clause.true)}{cell(clause.false)}<td>{clause.open}</td></tr>"


def _bound(bound: Bound) -> str:
    def cell(value: Any) -> str:
        if value is None:
            return '<td class="none">never</td>'
        shown = f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else f"{value:g}"
        return f'<td class="good">{escape(shown)}</td>'

    return f"<tr><td><code>{escape(bound.text)}</code></td>{cell(bound.below)}{cell(bound.above)}</tr>"
