"""One layout for policy files: `exportguard fmt`. Idempotent; comments and meaning are kept.

Two spaces of indentation, keys of a policy in one order, at most one blank line, conditions spaced alike, lines within
120 columns where they can be broken. Text is never changed. The result is read again and compared with what was there:
a file whose meaning or comments would differ is left as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from exportguard.authoring.blocks import Comment, Entry, Outline, is_block, outline
from exportguard.authoring.celtext import WIDTH, lay_out
from exportguard.authoring.flow import one_line, several_lines
from exportguard.diagnostics import Diagnostic
from exportguard.errors import PolicyError
from exportguard.language.parse import Mapping, Sequence, Tree, parse
from exportguard.language.rules import POLICY_KEYS, RULE_KEYS
from exportguard.language.source import PolicySource, Scalar

_CONDITIONS = ("when", "unless", "scope")


class FormatError(Exception):
    """The file could not be laid out without changing it; it is left as it is."""


def format_text(source: PolicySource) -> str:
    """The text of *source* laid out.

    Raises:
        PolicyError: it is not YAML of the kind that policies are written in.
        FormatError: the result would not say the same (a bug; nothing is lost).
    """
    text = source.text.replace("\r\n", "\n").replace("\r", "\n")
    plain = PolicySource(source.name, text)
    tree, problems = parse(plain)
    if tree is None or problems:
        raise PolicyError(tuple(problems))
    if isinstance(tree, Scalar):
        raise PolicyError((Diagnostic("EG112", "error", "the document is neither a mapping nor a list"),))
    written = outline(plain, tree)
    writer = _Writer(plain, policy=_is_policy(tree))
    made = writer.document(written, tree)
    again, broken = parse(PolicySource(source.name, made))
    if again is None or broken or _meaning(again, "") != _meaning(tree, ""):
        raise FormatError(f"`{source.name}` was left as it is: it could not be laid out without changing it")
    if sorted(c.text for c in written.comments) != sorted(
        c.text for c in outline(PolicySource("", made), again).comments
    ):
        raise FormatError(f"`{source.name}` was left as it is: a comment would have been lost")
    return made


def _is_policy(tree: Tree) -> bool:
    return isinstance(tree, Mapping) and {"policy", "rules"} <= {key.text for key, _ in tree.entries}


def _meaning(tree: Tree, key: str) -> object:
    """What a tree says: order of keys and layout of conditions aside."""
    if isinstance(tree, Scalar):
        text = tree.text.rstrip("\n") if tree.style in ("|", ">") else tree.text
        return _squeezed(text) if key in _CONDITIONS or key == "variables" else (text, tree.style is None)
    if isinstance(tree, Sequence):
        return [_meaning(item, "") for item in tree.items]
    inner = [(k.text, _meaning(v, key if key == "variables" else k.text)) for k, v in tree.entries]
    return sorted(inner, key=lambda pair: pair[0])


def _squeezed(text: str) -> str:
    return lay_out(" ".join(text.split())) if "//" not in text else "".join(text.split())


@dataclass
class _Writer:
    source: PolicySource
    policy: bool
    lines: list[str] = field(default_factory=list)

    def document(self, written: Outline, tree: Tree) -> str:
        for comment in written.head:
            self.comment(comment, 0)
        if written.marker:
            self.lines.append("---")
        if self.policy and written.head and written.entries:
            first = self.in_order(written.entries, "policy")[0]
            if first.leading:
                # Apart from the head, so that they are read as its own again.
                first.leading[0].blank_before = True
        if is_block(self.source, tree):
            self.block(tree, written.entries, 0, "policy" if self.policy else "")
        else:
            line = one_line(self.source, tree)
            self.lines += [line] if len(line) <= WIDTH else several_lines(self.source, tree, 0, WIDTH)
        for comment in written.tail:
            self.comment(comment, 0)
        text = "\n".join(self.lines).strip("\n")
        return text + "\n"

    def comment(self, comment: Comment, indent: int) -> None:
        if comment.blank_before and self.lines and self.lines[-1]:
            self.lines.append("")
        self.lines.append(" " * indent + comment.text)

    def block(self, tree: Tree, entries: list[Entry], indent: int, role: str, *, dash: str = "") -> None:
        """The entries of a block mapping or sequence. *dash*: what precedes the first one on its line."""
        if isinstance(tree, Mapping):
            entries = self.in_order(entries, role)
        first = True
        for entry in entries:
            prefix = " " * indent
            if first and dash:
                prefix = dash
                if entry.leading:
                    # A comment between the dash and the first key: the dash line would have to come first.
                    for comment in entry.leading:
                        self.comment(comment, len(dash) - len(dash.lstrip()))
            else:
                if (
                    entry.blank_before
                    and not entry.leading
                    and (not first or not indent)
                    and self.lines
                    and self.lines[-1]
                ):
                    self.lines.append("")
                for comment in entry.leading:
                    self.comment(comment, indent)
                if entry.leading and entry.blank_between and self.lines[-1]:
                    self.lines.append("")
            first = False
            trailing = [*entry.trailing]
            for comment in trailing[:-1]:
                self.lines.append(" " * (len(prefix) - len(prefix.lstrip())) + comment.text)
            self.entry(entry, prefix, indent, role, trailing[-1].text if trailing else None)
            for comment in entry.footer:
                self.comment(comment, indent)

    def in_order(self, entries: list[Entry], role: str) -> list[Entry]:
        keys = {"policy": POLICY_KEYS, "rule": RULE_KEYS}.get(role)
        if keys is None:
            return entries
        rank = {name: number for number, name in enumerate(keys)}
        ordered = sorted(entries, key=lambda entry: rank.get(entry.key.text if entry.key else "", len(rank)))
        if ordered and entries and ordered[0] is not entries[0]:
            ordered[0].blank_before = False
        return ordered

    def entry(self, entry: Entry, prefix: str, indent: int, role: str, trailing: str | None) -> None:
        value = entry.value
        if entry.key is not None:
            prefix += f"{self.key_text(entry.key)}:"
        else:
            prefix += "-"
        if entry.entries:
            self.inner(entry, prefix, indent, role, trailing)
            return
        name = entry.key.text if entry.key is not None else ""
        condition = self.is_condition(name, role)
        if isinstance(value, Scalar):
            self.scalar(value, prefix, indent, condition, trailing)
        else:
            self.flow(value, entry, prefix, indent, trailing)

    def inner(self, entry: Entry, prefix: str, indent: int, role: str, trailing: str | None) -> None:
        role_of = self.role_of(entry, role)
        if entry.key is None and not trailing and not entry.entries[0].leading:
            self.block(entry.value, entry.entries, indent + 2, role_of, dash=prefix + " ")
            return
        self.lines.append(prefix + (f" {trailing}" if trailing else ""))
        self.block(entry.value, entry.entries, indent + 2, role_of)

    def role_of(self, entry: Entry, role: str) -> str:
        if entry.key is not None:
            if role == "policy" and entry.key.text in ("rules", "variables"):
                return entry.key.text
            return ""
        return "rule" if role == "rules" else ""

    def is_condition(self, name: str, role: str) -> bool:
        return (role == "rule" and name in _CONDITIONS) or role == "variables" or (name == "scope" and not self.policy)

    def key_text(self, key: Scalar) -> str:
        return self.source.text[key.start : key.end]

    def scalar(self, value: Scalar, prefix: str, indent: int, condition: bool, trailing: str | None) -> None:
        end = f" {trailing}" if trailing else ""
        if value.style in ("|", ">"):
            self.block_scalar(value, prefix, indent, condition, end)
            return
        raw = self.source.text[value.start : value.end]
        parts = [part.strip() for part in raw.split("\n")]
        if len(parts) == 1:
            self.lines.append(f"{prefix} {self.spaced(raw, value) if condition else raw}{end}".rstrip())
            return
        # A multi-line plain or quoted text: its lines are folded, so that their indentation says nothing.
        self.lines.append(f"{prefix} {parts[0]}")
        self.lines += [" " * (indent + 2) + part if part else "" for part in parts[1:]]
        self.lines[-1] += end

    def spaced(self, raw: str, value: Scalar) -> str:
        """A condition of one line, where spacing it out leaves it what it is in YAML."""
        quote = raw[0] if value.style in ("'", '"') else ""
        inner = raw[1:-1] if quote else raw
        if inner != value.text:
            return raw
        made = lay_out(inner)
        if "\n" in made or (not quote and (": " in made or " #" in made or made.endswith(":"))):
            return raw
        return f"{quote}{made}{quote}"

    def block_scalar(self, value: Scalar, prefix: str, indent: int, condition: bool, end: str) -> None:
        raw = self.source.text[value.start : value.end]
        header, _, body = raw.partition("\n")
        sign = value.style or "|"
        chomp = "".join(ch for ch in header.split("#")[0] if ch in "+-")
        content = value.text
        if condition and sign == "|":
            content = lay_out(content.strip("\n"), indent + 2) + "\n" if content.strip() else content
        if sign == ">":
            self.folded(body, prefix, indent, chomp, end, bool(re.search(r"[1-9]", header.split("#")[0])))
            return
        kept = content[len(content.rstrip("\n")) :]
        lines = content.rstrip("\n").split("\n")
        needs = "2" if (lines and lines[0].startswith(" ")) or not lines[0] else ""
        self.lines.append(f"{prefix} {sign}{needs}{chomp}{end}")
        self.lines += [" " * (indent + 2) + line if line else "" for line in lines]
        if chomp == "+":
            self.lines += [""] * (kept.count("\n") - 1)

    def folded(self, body: str, prefix: str, indent: int, chomp: str, end: str, explicit: bool) -> None:
        """A `>` text: its line breaks mean something only together with their indentation, which is kept."""
        lines = body.rstrip("\n").split("\n")
        filled = [line for line in lines if line.strip()]
        margin = min((len(line) - len(line.lstrip(" ")) for line in filled), default=0)
        if explicit or (filled and len(filled[0]) - len(filled[0].lstrip(" ")) != margin):
            raise FormatError(f"`{self.source.name}` was left as it is: a folded text starts indented")
        self.lines.append(f"{prefix} >{chomp}{end}")
        self.lines += [" " * (indent + 2) + line[margin:] if line.strip() else "" for line in lines]
        if chomp == "+":
            self.lines += [""] * (len(body) - len(body.rstrip("\n")) - 1)

    def flow(self, value: Tree, entry: Entry, prefix: str, indent: int, trailing: str | None) -> None:
        end = f" {trailing}" if trailing else ""
        if entry.verbatim:
            raw = self.source.text[value.start : value.end].split("\n")
            shift = len(prefix) + 1 - (self.source.line_column(value.start)[1] - 1)
            self.lines.append(f"{prefix} {raw[0].rstrip()}")
            for line in raw[1:]:
                width = len(line) - len(line.lstrip())
                self.lines.append(" " * max(indent + 2, width + shift) + line.strip() if line.strip() else "")
            self.lines[-1] += end
            return
        line = f"{prefix} {one_line(self.source, value)}{end}"
        if len(line) <= WIDTH:
            self.lines.append(line)
            return
        made = several_lines(self.source, value, len(prefix) + 1, WIDTH)
        self.lines.append(f"{prefix} {made[0]}")
        self.lines += made[1:]
        self.lines[-1] += end
