"""An account of a decision: as text, as a Mermaid diagram, as one HTML page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from typing import Any

_SIGNS = {"true": "✓", "false": "✗", "open": "?"}
_WORDS = {
    "match": "matches",
    "indeterminate": "is open",
    "no_match": "does not match",
    "lifted": "is lifted",
    "not_asked": "is not asked",
}


def as_text(account: dict[str, Any]) -> str:
    """For a terminal: the outcome, the rules that weigh, each with its tree, then the others in a line each."""
    decision = account["decision"]
    lines = [f"{decision['outcome']} as of {decision['as_of']}"]
    if decision["not_applicable"]:
        lines.append(f"no rule was asked: {decision['not_applicable']}")
    for rule in account["rules"]:
        lines.append("")
        lines.append(f"{rule['rule']} ({rule['effect']}) {_WORDS[rule['answer']]}: {rule['title']}")
        if rule["note"]:
            lines.append(f"  {rule['note']}")
        if rule["answer"] in ("match", "indeterminate", "lifted"):
            lines += [f"  {line}" for line in _weighing(rule)]
        else:
            lines += list(dict.fromkeys(_because(each) for each in rule["combinations"] if each["clause"]))[:3]
    lines += _outlook(account)
    return "\n".join(lines)


def _because(combination: dict[str, Any]) -> str:
    facts = ", ".join(f"{path} is {value}" for path, value in combination["values"].items())
    clause = combination["clause"]
    told = f"it is lifted by `{clause}`" if clause.startswith("unless ") else f"`{clause}` is not so"
    return f"  because {told}" + (f": {facts}" if facts else "")


def _weighing(rule: dict[str, Any]) -> Iterator[str]:
    yield f"basis: {rule['basis']}; status: {rule['status']}; cites: {'; '.join(rule['cites']) or 'nothing'}"
    for each in rule["combinations"]:
        who = ", ".join(x for x in (each["item"], each["party"], each["location"]) if x) or "the request"
        told = _WORDS[each["answer"]] + (f" by {each['authorization']}" if each["authorization"] else "")
        missing = f"; not known: {', '.join(each['unknown'])}" if each["unknown"] else ""
        yield f"{who}: {told}{missing}"
    shown = rule.get("tree")
    if shown is not None:
        yield from _tree(shown["when"], "when ")
        if shown["unless"] is not None:
            yield from _tree(shown["unless"], "unless ")
    if rule["remedy"]:
        yield f"remedy: {rule['remedy']}"


def _tree(node: dict[str, Any], head: str = "", depth: int = 0) -> Iterator[str]:
    indent = "  " * depth
    words = {"and": "all of", "or": "any of", "not": "not"}
    if node["op"] in words:
        yield f"{indent}{_SIGNS[node['answer']]} {head}{words[node['op']]}"
        for part in node["parts"]:
            yield from _tree(part, "", depth + 1)
        return
    facts = ", ".join(f"{path} = {value}" for path, value in node["values"].items())
    yield f"{indent}{_SIGNS[node['answer']]} {head}{node['text']}" + (f"   [{facts}]" if facts else "")


def _outlook(account: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    if account["settling"]:
        lines += ["", "What would settle it:"]
        for each in account["settling"]:
            how = f": {each['how']}" if each["how"] else ""
            lines.append(f"  {each['path']}{how}  ({', '.join(each['rules'])})")
    if account["changes"]:
        lines += ["", "The smallest changes that lead to another outcome:"]
        for change in account["changes"]:
            lines.append(f"  {change['outcome']}, {change['kind']}: {change['how']}")
            lines += [f"    {step['path']}: {step['now']} -> {step['then']}" for step in change["steps"]]
    return lines


def as_mermaid(account: dict[str, Any]) -> str:
    """A flow chart of the rules that weigh (of all that were asked, where none does)."""
    decision = account["decision"]
    lines = ["flowchart LR", f'  outcome(["{_quoted(decision["outcome"])}"]):::{decision["outcome"].lower()}']
    weighing = [r for r in account["rules"] if r["answer"] in ("match", "indeterminate", "lifted")]
    shown = weighing or [r for r in account["rules"] if r["answer"] != "not_asked"]
    for number, rule in enumerate(shown):
        name = f"r{number}"
        label = f"{rule['rule']}<br/>{rule['effect']}, {_WORDS[rule['answer']]}"
        lines.append(f'  {name}["{_quoted(label)}"]:::{rule["answer"]}')
        lines.append(f"  {name} --> outcome")
        if rule.get("tree") is not None:
            lines += _mermaid_tree(rule["tree"]["when"], name, name, "")
            if rule["tree"]["unless"] is not None:
                lines += _mermaid_tree(rule["tree"]["unless"], name, f"{name}u", "unless ")
    lines += [
        "  classDef deny fill:#fdd,stroke:#c00,color:#000",
        "  classDef hold fill:#fec,stroke:#b60,color:#000",
        "  classDef allow fill:#dfd,stroke:#080,color:#000",
        "  classDef match stroke:#c00",
        "  classDef indeterminate stroke:#b60,stroke-dasharray:4",
        "  classDef lifted stroke:#080",
        "  classDef no_match stroke:#888",
        "  classDef true stroke:#080",
        "  classDef false stroke:#c00",
        "  classDef open stroke:#b60,stroke-dasharray:4",
    ]
    return "\n".join(lines)


def _mermaid_tree(node: dict[str, Any], parent: str, name: str, head: str) -> Iterator[str]:
    words = {"and": "all of", "or": "any of", "not": "not"}
    here = f"{name}_0"
    text = words.get(node["op"]) or node["text"]
    facts = "<br/>".join(f"{path} = {value}" for path, value in node.get("values", {}).items())
    label = f"{_SIGNS[node['answer']]} {head}{text}" + (f"<br/>{facts}" if facts else "")
    yield f'  {here}["{_quoted(label)}"]:::{node["answer"]} --> {parent}'
    for number, part in enumerate(node.get("parts", ())):
        yield from _mermaid_tree(part, here, f"{here}{number}", "")


def _quoted(text: str) -> str:
    """Text of a label: nothing of a request can end it or become markup, but for the line breaks put in here."""
    parts = re.split(r"<br/>", text)
    return "<br/>".join(
        re.sub(r'[&<>"#`]', lambda found: f"#{ord(found.group())};", part).replace("\n", " ") for part in parts
    )


_STYLE = """
:root { color-scheme: light dark; --deny: #cf222e; --hold: #9a6700; --allow: #1a7f37; --line: #8884; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
code { font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; } ul.tree { list-style: none; padding-left: 1.2rem; border-left: 1px solid var(--line); }
table { border-collapse: collapse; width: 100%; } td, th { border-bottom: 1px solid var(--line); padding: .25rem .5rem;
text-align: left; vertical-align: top; }
.DENY, .false, .match { color: var(--deny); } .HOLD, .open, .indeterminate { color: var(--hold); }
.ALLOW, .true { color: var(--allow); } .facts { opacity: .75; }
"""


def as_html(account: dict[str, Any]) -> str:
    """One page that needs nothing else. Everything of the request and the policies is escaped."""
    decision = account["decision"]
    outcome = escape(decision["outcome"])
    rules = "\n".join(_html_rule(rule) for rule in account["rules"])
    settling = "".join(
        f"<tr><td><code>{escape(each['path'])}</code></td><td>{escape(each['how'] or '')}</td>"
        f"<td>{escape(', '.join(each['rules']))}</td></tr>"
        for each in account["settling"]
    )
    changes = "".join(
        f"<tr><td class='{escape(c['outcome'])}'>{escape(c['outcome'])}</td><td>{escape(c['kind'])}</td>"
        f"<td>{escape(c['how'])}</td><td>{_html_steps(c['steps'])}</td></tr>"
        for c in account["changes"]
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{outcome}: why</title>
<style>{_STYLE}</style>
</head>
<body>
<h1 class="{outcome}">{outcome}</h1>
<p>As of {escape(decision["as_of"])}. {escape(decision["not_applicable"] or "")}</p>
{rules}
{f"<h2>What would settle it</h2><table>{settling}</table>" if settling else ""}
{f"<h2>What would change it</h2><table>{changes}</table>" if changes else ""}
<p class="facts">policies {escape(decision["policy_digest"])}, reference data {escape(decision["reference_digest"])}</p>
</body>
</html>
"""


def _html_steps(steps: list[dict[str, str]]) -> str:
    told = (f"<code>{escape(s['path'])}</code>: {escape(s['now'])} → {escape(s['then'])}" for s in steps)
    return "<br>".join(told)


def _html_rule(rule: dict[str, Any]) -> str:
    opened = " open" if rule["answer"] in ("match", "indeterminate", "lifted") else ""
    cites = "; ".join(rule["cites"]) or "nothing"
    combinations = "".join(
        f"<tr><td>{escape(', '.join(x for x in (c['item'], c['party'], c['location']) if x) or 'the request')}</td>"
        f"<td class='{c['answer']}'>{_WORDS[c['answer']]}</td><td><code>{escape(c['clause'] or '')}</code></td>"
        f"<td>{escape(', '.join(c['unknown']))}</td></tr>"
        for c in rule["combinations"]
    )
    shown = rule.get("tree")
    trees = ""
    if shown is not None:
        trees = f"<ul class='tree'>{_html_tree(shown['when'], '')}"
        trees += f"{_html_tree(shown['unless'], 'unless ')}</ul>" if shown["unless"] is not None else "</ul>"
    note = f"<p>{escape(rule['note'])}</p>" if rule["note"] else ""
    remedy = f"<p>{escape(rule['remedy'])}</p>" if rule["remedy"] else ""
    return f"""<details{opened}>
<summary><code>{escape(rule["rule"])}</code> ({escape(rule["effect"])})
<span class="{rule["answer"]}">{_WORDS[rule["answer"]]}</span>: {escape(rule["title"])}</summary>
<p>{escape(rule["basis"])}, {escape(rule["status"])}; cites {escape(cites)}</p>{note}
<table>{combinations}</table>
{trees}{remedy}
</details>"""


def _html_tree(node: dict[str, Any], head: str) -> str:
    words = {"and": "all of", "or": "any of", "not": "not"}
    text = words.get(node["op"])
    told = text if text is not None else f"<code>{escape(node['text'])}</code>"
    facts = ", ".join(f"{path} = {value}" for path, value in node.get("values", {}).items())
    shown = f" <span class='facts'>{escape(facts)}</span>" if facts else ""
    parts = "".join(_html_tree(part, "") for part in node.get("parts", ()))
    inner = f"<ul class='tree'>{parts}</ul>" if parts else ""
    return f"<li><span class='{node['answer']}'>{_SIGNS[node['answer']]}</span> {head}{told}{shown}{inner}</li>"
