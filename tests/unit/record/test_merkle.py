"""Laws of the Merkle tree (RFC 6962)."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exportguard.record.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

leaves_ = st.lists(st.binary(min_size=0, max_size=4), min_size=1, max_size=40).map(
    lambda xs: [leaf_hash(x) for x in xs]
)


def by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(by_definition(leaves[:k]), by_definition(leaves[k:]))


@given(leaves=leaves_)
def test_the_root_is_the_one_of_the_definition(leaves: list[bytes]) -> None:
    assert root_of(leaves) == by_definition(leaves)
    assert root_of([]) == by_definition([]) == EMPTY_ROOT


def test_known_answers() -> None:
    """The first vectors of the reference implementation's test data (certificate-transparency: merkle_tree_test)."""
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert root_of([leaf_hash(b""), leaf_hash(b"\x00")]).hex() == (
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
    )


@given(leaves=leaves_, at=st.integers(0, 39))
def test_a_frontier_kept_and_taken_up_again_goes_on_as_if_it_had_not_been(leaves: list[bytes], at: int) -> None:
    whole = Frontier()
    for index, leaf in enumerate(leaves):
        if index == at:
            whole = Frontier.from_bytes(whole.size, whole.to_bytes())
        whole.append(leaf)
    assert whole.root() == root_of(leaves)


@given(before=st.integers(0, 70), count=st.integers(0, 70))
def test_many_leaves_at_once_are_the_same_as_one_after_another(before: int, count: int) -> None:
    leaves = [leaf_hash(str(n).encode()) for n in range(before + count)]
    one = Frontier()
    roots = []
    for leaf in leaves:
        one.append(leaf)
        roots.append(one.root())
    many = Frontier()
    assert many.extend(leaves[:before]) == roots[:before]
    assert many.extend(leaves[before:]) == roots[before:]
    assert (many.size, many.to_bytes()) == (one.size, one.to_bytes())


@given(leaves=leaves_, data=st.data())
def test_inclusion_is_proved_for_what_is_there_and_for_nothing_else(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof, root = inclusion_proof(leaves, index), root_of(leaves)
    assert verify_inclusion(leaves[index], index, len(leaves), proof, root)
    assert not verify_inclusion(leaf_hash(b"another text"), index, len(leaves), proof, root)
    assert not verify_inclusion(leaves[index], index, len(leaves), [*proof, root], root)
    assert not verify_inclusion(leaves[index], len(leaves), len(leaves), proof, root)
    if proof:
        assert not verify_inclusion(leaves[index], index, len(leaves), proof[:-1], root)


@given(leaves=leaves_, data=st.data())
def test_consistency_is_proved_for_a_continuation_and_nothing_else(leaves: list[bytes], data: st.DataObject) -> None:
    earlier = data.draw(st.integers(1, len(leaves)))
    proof = consistency_proof(leaves, earlier)
    old, new = root_of(leaves[:earlier]), root_of(leaves)
    assert verify_consistency(earlier, old, len(leaves), new, proof)
    other = root_of([*leaves[: earlier - 1], leaf_hash(b"another text")])
    assert not verify_consistency(earlier, other, len(leaves), new, proof)
    if earlier < len(leaves):
        assert not verify_consistency(earlier, old, len(leaves), node_hash(new, new), proof)
        assert not verify_consistency(earlier, old, len(leaves), new, proof[:-1])


def test_what_is_no_tree_is_refused() -> None:
    with pytest.raises(ValueError):
        Frontier.from_bytes(3, b"\x00" * 32)
    with pytest.raises(IndexError):
        inclusion_proof([leaf_hash(b"")], 1)
    with pytest.raises(IndexError):
        consistency_proof([leaf_hash(b"")], 0)
