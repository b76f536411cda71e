"""Running suites: what is loaded for each, its cases in order, and how they went."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exportguard.authoring.files import Kind, PolicyFile, files_of
from exportguard.authoring.suite import Case, Result, Suite, SuiteText, expanded, read_suite, run_case
from exportguard.errors import ConfigurationError, InputError
from exportguard.guard import Guard


@dataclass(frozen=True, slots=True)
class Timed:
    """A result, and how long it took in seconds."""

    result: Result
    seconds: float


@dataclass(frozen=True, slots=True)
class SuiteReport:
    """How a suite went. `error`: it could not run at all, and there are no results."""

    file: PolicyFile
    name: str
    results: tuple[Timed, ...] = ()
    error: str | None = None
    guard: Guard | None = field(default=None, compare=False)

    @property
    def failed(self) -> int:
        return sum(bool(timed.result.problems) for timed in self.results)


@dataclass(frozen=True, slots=True)
class Ready:
    """A suite with the guard that judges it. The guard records and reserves nothing."""

    file: PolicyFile
    text: SuiteText
    guard: Guard

    def cases(self) -> Iterator[tuple[Case, int | None]]:
        """Every case with its line, matrices expanded."""
        for index in range(len(self.text.suite.cases)):
            for case in expanded(self.text.suite, index):
                yield case, self.text.lines.get(index)


class Loader:
    """Makes guards for suites: suites that need the same policies share one.

    Args:
        policies, packs: in place of what a suite names and what stands beside it.
    """

    def __init__(self, policies: str | None = None, packs: Sequence[str] | None = None) -> None:
        self.policies, self.packs = policies, packs
        self._guards: dict[tuple[Any, ...], Guard] = {}

    def ready(self, file: PolicyFile) -> Ready:
        """Read the suite *file* and load what it needs. Raises InputError."""
        text = read_suite(file.path, file.name)
        return Ready(file, text, self._guard(text.suite, file.path.parent))

    def _guard(self, suite: Suite, folder: Path) -> Guard:
        policies, packs = self._policies(suite, folder)
        customers = str(folder / suite.customers) if suite.customers is not None else None
        authorizations = str(folder / suite.authorizations) if suite.authorizations is not None else None
        lists = "default" if suite.lists == "shipped" else None
        key = (policies, packs, customers, authorizations, lists)
        guard = self._guards.get(key)
        if guard is None:
            from exportguard.judging import load_state

            sources = _sources(policies, packs)
            state = load_state(sources, None, customers, authorizations, lists)
            guard = self._guards[key] = Guard(state, log=None, ledger=None)
        return guard

    def _policies(self, suite: Suite, folder: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
        if self.policies is not None or self.packs is not None:
            return (self.policies,) if self.policies is not None else (), tuple(self.packs or ())
        if suite.policies:
            return tuple(str(folder / name) for name in suite.policies), suite.packs
        beside = any(file.kind is Kind.POLICY for file in files_of([folder]))
        if not beside and not suite.packs:
            raise ConfigurationError(
                f"no policy stands beside the suite `{suite.suite}`",
                place=str(folder),
                remedy="Put it beside a policy, or name some: `policies: [../company]`, `packs: [baseline]`.",
            )
        return (str(folder),) if beside else (), suite.packs


def _sources(policies: Sequence[str], packs: Sequence[str]) -> Sequence[Any]:
    from exportguard.packs import policy_sources

    found: list[Any] = []
    for path in policies:
        found += policy_sources(path)
    if packs:
        found += policy_sources(packs=packs)
    return found


def run_suites(
    files: Sequence[PolicyFile],
    *,
    loader: Loader | None = None,
    select: Callable[[str], bool] = lambda name: True,
    fail_fast: bool = False,
    tell: Callable[[], None] = lambda: None,
) -> Iterator[SuiteReport]:
    """Run the suites among *files*, each as it comes.

    Args:
        select: which cases, by their full name (`suite: case`).
        fail_fast: end after the first case that does not hold.
        tell: called after each case.
    """
    loader = loader or Loader()
    for file in files:
        if file.kind is not Kind.SUITE:
            continue
        try:
            ready = loader.ready(file)
        except InputError as error:
            yield SuiteReport(file, file.name, error=str(error))
            continue
        results: list[Timed] = []
        suite = ready.text.suite
        stop = False
        for case, line in ready.cases():
            if not select(f"{suite.suite}: {case.name}"):
                continue
            start = time.perf_counter()
            result = run_case(ready.guard, case, suite.as_of, line)
            results.append(Timed(result, time.perf_counter() - start))
            tell()
            if result.problems and fail_fast:
                stop = True
                break
        yield SuiteReport(file, suite.suite, tuple(results), guard=ready.guard)
        if stop:
            return
