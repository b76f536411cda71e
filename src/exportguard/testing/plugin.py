"""The pytest plugin. It imports pytest and nothing else: what a suite does not use costs it nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from exportguard.testing.recorder import Attempts, RecordingGuard

_MARKER = (
    "exportguard(policies=, packs=, customers=, authorizations=, lists=, as_of=, mode=, customer=, resolver=, "
    "ledger=, install=): how the fixture `guard` is loaded for this test."
)
_OPTIONS = {
    "exportguard_policies": "folder or file of policies for the fixture `guard` (relative to the rootdir)",
    "exportguard_packs": "shipped packs for the fixture `guard`, separated by commas",
    "exportguard_customers": "customers document for the fixture `guard`",
    "exportguard_authorizations": "authorizations document for the fixture `guard`",
    "exportguard_as_of": "date or instant at which the fixture `guard` decides",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    for name, text in _OPTIONS.items():
        parser.addini(name, text, default=None)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def guard(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordingGuard]:
    """A guard for one test: as the marker `exportguard` says, else the ini options, else `[tool.exportguard]`.

    It keeps no record and, unless `ledger=True`, counts no use; it is uninstalled when the test ends.
    """
    from exportguard.testing.fixtures import guard_for

    with guard_for(request, tmp_path_factory) as made:
        yield made


@pytest.fixture
def attempts(guard: Any) -> Attempts:
    """What the test tried to provision through *guard*, in order, and what became of it."""
    from exportguard.testing.recorder import attempts_of

    return attempts_of(guard)
