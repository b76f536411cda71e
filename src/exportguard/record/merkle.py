"""The Merkle tree of RFC 6962, section 2.1 (SHA-256): roots, inclusion proofs, consistency proofs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

HASH_SIZE = 32
EMPTY_ROOT = sha256().digest()
_NODE = b"\x01"
_FEW = 24
"""Up to so many leaves, going through a tree level by level takes longer than leaf by leaf."""


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(_NODE + left + right).digest()


class Frontier:
    """The least that is needed of a tree to go on with it: the roots of its full subtrees, largest first."""

    __slots__ = ("_hashes", "size")

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if len(hashes) != size.bit_count() or any(len(each) != HASH_SIZE for each in hashes):
            raise ValueError("these hashes are not the frontier of a tree of this size")
        self.size = size
        self._hashes = list(hashes)

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> Frontier:
        return cls(size, [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)])

    def to_bytes(self) -> bytes:
        return b"".join(self._hashes)

    def copy(self) -> Frontier:
        made = Frontier.__new__(Frontier)
        made.size, made._hashes = self.size, self._hashes.copy()
        return made

    def append(self, leaf: bytes) -> None:
        self._push(0, leaf)

    def extend(self, leaves: Sequence[bytes]) -> list[bytes]:
        """Append all of *leaves*; the root after each of them.

        The same hashes as of `append` and `root` one after another, without what Python takes for each step.
        """
        roots: list[bytes] = []
        if len(leaves) < _FEW:
            for leaf in leaves:
                self._push(0, leaf)
                roots.append(self.root())
            return roots
        at = 0
        while at < len(leaves):
            # As many as no subtree of those before is completed by, but at the last of them.
            room = self.size & -self.size or 1 << len(leaves).bit_length()
            some = leaves[at : at + room]
            at += len(some)
            within, full = _prefixes(some)
            for left in reversed(self._hashes):
                start = _NODE + left
                within = [sha256(start + right).digest() for right in within]
            roots += within
            for level, node in full:
                self._push(level, node)
        return roots

    def _push(self, level: int, node: bytes) -> None:
        """Append a full subtree of 2^level leaves."""
        rest = self.size >> level
        while rest & 1:
            node = node_hash(self._hashes.pop(), node)
            rest >>= 1
        self._hashes.append(node)
        self.size += 1 << level

    def root(self) -> bytes:
        if not self._hashes:
            return EMPTY_ROOT
        root = self._hashes[-1]
        for left in reversed(self._hashes[:-1]):
            root = node_hash(left, root)
        return root


def _prefixes(leaves: Sequence[bytes]) -> tuple[list[bytes], list[tuple[int, bytes]]]:
    """Of a tree of *leaves* alone: the root after each of them, and its full subtrees (level and root, largest first).

    Level by level: before level n, an entry is the root over its block of 2^n leaves as far as itself, and the blocks
    on the right take in the one on their left.
    """
    roots, count = list(leaves), len(leaves)
    full: list[tuple[int, bytes]] = []
    for level in range(count.bit_length()):
        step = 1 << level
        if count & step:
            full.append((level, roots[(count >> level) * step - 1]))
        if level == 0:
            pairs = zip(roots[::2], roots[1::2], strict=False)
            roots[1::2] = [sha256(_NODE + left + right).digest() for left, right in pairs]
            continue
        for start in range(step, count, 2 * step):
            left = _NODE + roots[start - 1]
            block = slice(start, start + step)
            roots[block] = [sha256(left + right).digest() for right in roots[block]]
    return roots, full[::-1]


def root_of(leaves: Iterable[bytes]) -> bytes:
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def _split(size: int) -> int:
    """The largest power of two below *size*."""
    return 1 << (size - 1).bit_length() - 1


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes that lead from leaf *index* (from 0) to the root over *leaves*. O(n) hashing."""
    if not 0 <= index < len(leaves):
        raise IndexError("no such leaf")
    proof: list[bytes] = []
    low, high = 0, len(leaves)
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            proof.append(root_of(leaves[middle:high]))
            high = middle
        else:
            proof.append(root_of(leaves[low:middle]))
            low = middle
    return proof[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """True when *leaf* is number *index* of the tree with *size* leaves and this *root* (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            node = node_hash(sibling, node)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            node = node_hash(node, sibling)
        position >>= 1
        last >>= 1
    return last == 0 and node == root


def consistency_proof(leaves: Sequence[bytes], earlier: int) -> list[bytes]:
    """The hashes that show the tree over *leaves* to continue the one over its first *earlier* leaves."""
    if not 0 < earlier <= len(leaves):
        raise IndexError("no such tree")
    proof: list[bytes] = []
    low, high, whole = 0, len(leaves), True
    while earlier != high:
        middle = low + _split(high - low)
        if earlier <= middle:
            proof.append(root_of(leaves[middle:high]))
            high = middle
        else:
            proof.append(root_of(leaves[low:middle]))
            low, whole = middle, False
    if not whole:
        proof.append(root_of(leaves[low:high]))
    return proof[::-1]


def verify_consistency(
    earlier: int, earlier_root: bytes, later: int, later_root: bytes, proof: Sequence[bytes]
) -> bool:
    """True when the tree of size *later* begins with the one of size *earlier* (RFC 9162, 2.1.4.2)."""
    if earlier == later:
        return not proof and earlier_root == later_root
    if not 0 < earlier < later:
        return False
    path = list(proof)
    if earlier & (earlier - 1) == 0:
        path.insert(0, earlier_root)
    if not path:
        return False
    position, last = earlier - 1, later - 1
    while position & 1:
        position >>= 1
        last >>= 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            new = node_hash(new, sibling)
        position >>= 1
        last >>= 1
    return last == 0 and old == earlier_root and new == later_root
