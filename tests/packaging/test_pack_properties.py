"""The properties that are shipped with the packs hold."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from exportguard.authoring.prove import Status, jobs, prove, shipped_properties
from exportguard.packs import shipped_packs

AS_OF = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.mark.parametrize("path", shipped_properties(), ids=lambda path: path.parent.name)
def test_the_properties_of_the_packs_are_proved(path):
    """Each claim, for the rules as they are: none refuted, none left undecided."""
    results = [result for _, result in prove(jobs([path]), as_of=AS_OF, timeout=120)]
    assert results
    failed = {r.claim.id: (r.status.value, r.why, r.found and r.found.document) for r in results}
    assert {name: told for name, told in failed.items() if told[0] != Status.PROVED.value} == {}


def test_every_pack_is_shipped_with_properties():
    assert {path.parent.name for path in shipped_properties()} >= set(shipped_packs())
