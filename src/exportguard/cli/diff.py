"""`exportguard diff`: what changes between two policy sets, by their rules, by replay and by proof."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exportguard.cli.check import Format, read_instant
from exportguard.cli.formats import put
from exportguard.cli.options import Customers, Lists
from exportguard.errors import ConfigurationError

if TYPE_CHECKING:
    from exportguard.authoring.diff import Proved, Replayed, RuleChange
    from exportguard.vocabulary import Decision

HELP = """Compare two policy sets. OLD and NEW are files, folders, shipped packs (a,b) or `default`.

Told are: the rules that differ; requests of a corpus (--corpus) or of the decision log (--log) that the two decide
otherwise; and, by proof, for each pair of outcomes a request that OLD decides so and NEW otherwise, or the word that
there is none. The proof needs the extra `prove`; --no-prove leaves it out.

Example: exportguard diff policies-of-last-month/ policies/ --corpus requests.jsonl

Exit code: 0 no request is decided otherwise, 1 some are, 3 not decided for all, 2 could not evaluate.
"""


@dataclass
class Report:
    """What was found, as it is printed."""

    rules: tuple[RuleChange, ...] = ()
    replayed: list[Replayed] = field(default_factory=list)
    proved: list[Proved] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        if any(each.differs for each in self.replayed) or any(each.status == "differs" for each in self.proved):
            return 1
        open_ = any(each.why for each in self.replayed) or any(each.status == "undecided" for each in self.proved)
        return 3 if open_ else 0


def diff(
    old: Annotated[str, typer.Argument(help="The policies as they were.")],
    new: Annotated[str, typer.Argument(help="The policies as they are to be.")],
    corpus: Annotated[
        list[str] | None, typer.Option(help="Request and call documents to decide under both; `-`: standard input.")
    ] = None,
    log: Annotated[str | None, typer.Option(help="Decide the requests of this decision log (path, URL).")] = None,
    prove: Annotated[bool, typer.Option(help="Prove, too.")] = True,
    customers: Customers = None,
    authorizations: Annotated[str | None, typer.Option(help="Authorizations document, for what is replayed.")] = None,
    lists: Lists = None,
    as_of: Annotated[str | None, typer.Option(help="Compare as of this date or instant (UTC). Default: now.")] = None,
    timeout: Annotated[float, typer.Option(help="Seconds for each proof; past them it is not decided.")] = 10.0,
    format: Annotated[Format, typer.Option(help="How to print.", envvar="EXPORTGUARD_FORMAT")] = Format.TABLE,  # noqa: A002
    output: Annotated[str | None, typer.Option(help="Write the report to this file.")] = None,
) -> None:
    from datetime import UTC, datetime

    from exportguard.authoring import diff as comparing
    from exportguard.cli.progress import progress
    from exportguard.judging import load_state

    if timeout <= 0:
        raise ConfigurationError("a proof needs some time", place="--timeout", remedy="Give seconds, such as 10.")
    instant = read_instant(as_of) or datetime.now(UTC)
    before, after = (
        load_state(comparing.sources_of(name), None, customers, authorizations, lists or "default")
        for name in (old, new)
    )
    report = Report(comparing.rule_changes(before.policies, after.policies))
    if corpus:
        report.replayed += _replay(corpus, before, after, instant)
    if log is not None:
        from exportguard.record import open_log

        opened = open_log(log)
        try:
            with progress("replaying", None) as step:
                for each in comparing.replay_log(opened, before, after, instant):
                    report.replayed.append(each)
                    step()
        finally:
            opened.close()
    if prove:
        with progress("proving", len(comparing.PAIRS), least=1) as step:
            report.proved += comparing.compare(
                before.policies, after.policies, before.reference, as_of=instant, timeout=timeout, tell=step
            )
    put(_printed(report, format), output)
    raise typer.Exit(report.exit_code)


def _replay(files: list[str], before: Any, after: Any, as_of: Any) -> Iterator[Replayed]:
    from exportguard.authoring.diff import Replayed
    from exportguard.cli.inputs import entries
    from exportguard.errors import InputError
    from exportguard.guard import Guard
    from exportguard.judging import read_document

    guards = [Guard(state, log=None, ledger=None) for state in (before, after)]
    for entry in entries(files):
        place = str(entry.id) if entry.id is not None else entry.place
        if entry.document is None:
            yield Replayed(place, None, None, str(entry.error))
            continue
        try:
            document = read_document(entry.document, entry.place)
            one, other = (guard.check(document, as_of=as_of) for guard in guards)
        except InputError as error:
            yield Replayed(place, None, None, str(error))
        else:
            yield Replayed(place, one, other)


def _printed(report: Report, format: Format) -> str:  # noqa: A002
    if format is Format.JSON:
        return json.dumps(_document(report), ensure_ascii=False, indent=2)
    if format is Format.JSONL:
        document = _document(report)
        lines = [{"kind": kind, **each} for kind in ("rules", "replayed", "proved") for each in document[kind]]
        return "\n".join(json.dumps(line, ensure_ascii=False) for line in lines) or "\n"
    return "\n".join((*_told_rules(report), *_told_replay(report), *_told_proofs(report)))


def _document(report: Report) -> dict[str, Any]:
    from exportguard.authoring.prove import document_of_found

    return {
        "rules": [
            {"rule": each.rule, "change": each.change, **({"what": list(each.what)} if each.what else {})}
            for each in report.rules
        ],
        "replayed": [
            {"place": each.place, "error": each.why}
            if each.old is None or each.new is None
            else {
                "place": each.place,
                "old": each.old.outcome.value,
                "new": each.new.outcome.value,
                "old_rules": _names(each.old),
                "new_rules": _names(each.new),
            }
            for each in report.replayed
            if each.differs or each.reasons_differ or each.why
        ],
        "proved": [
            {
                "old": each.old.value,
                "new": each.new.value,
                "status": each.status,
                "any_size": each.any_size,
                "bounds": {name: getattr(each.bounds, name) for name in each.bounds.__slots__},
                **({"why": each.why} if each.why else {}),
                **(document_of_found(each.found) if each.found is not None else {}),
            }
            for each in report.proved
        ],
    }


def _names(decision: Decision) -> list[str]:
    return list(dict.fromkeys(f"{reason.policy}/{reason.rule}" for reason in decision.reasons))


def _told_rules(report: Report) -> list[str]:
    if not report.rules:
        return ["rules: the same"]
    signs = {"added": "+", "removed": "-", "changed": "~"}
    lines = [f"rules: {len(report.rules)} differ"]
    for each in report.rules:
        what = f" ({', '.join(each.what)})" if each.what else ""
        lines.append(f"  {signs[each.change]} {each.rule}{what}")
    return lines


def _told_replay(report: Report) -> list[str]:
    if not report.replayed:
        return []
    differ = [each for each in report.replayed if each.differs]
    reasons = sum(each.reasons_differ and not each.differs for each in report.replayed)
    failed = [each for each in report.replayed if each.why]
    lines = [
        f"replayed: {len(report.replayed)} requests, {len(differ)} decided otherwise, {reasons} for other reasons, "
        f"{len(failed)} not decided"
    ]
    for each in differ:
        assert each.old is not None
        assert each.new is not None
        lines.append(f"  {each.place}: {each.old.outcome} -> {each.new.outcome}")
        lines.append(f"    old: {each.old.summary}")
        lines.append(f"    new: {each.new.summary}")
    return lines + [f"  {each.place}: {each.why}" for each in failed]


def _told_proofs(report: Report) -> list[str]:
    from exportguard.authoring.prove import sizes

    lines: list[str] = []
    for each in report.proved:
        head = f"proved: {each.old} -> {each.new}"
        if each.status == "same":
            lines.append(f"{head}: no request, {sizes(each.bounds, each.any_size)}")
        elif each.status == "undecided":
            lines.append(f"{head}: not decided: {each.why}")
        else:
            assert each.found is not None
            assert each.decisions is not None
            lines.append(f"{head}: {json.dumps(each.found.document, ensure_ascii=False)}")
            lines.append(f"    old: {each.decisions[0].summary}")
            lines.append(f"    new: {each.decisions[1].summary}")
    return lines
