"""Signed checkpoints: how many records the log had, and the root over them, in words somebody else can keep.

A checkpoint is a signed note (C2SP `signed-note` and `tlog-checkpoint`): origin, size and root in base64, further
lines, an empty line, signatures by Ed25519. The tree alone notices neither a cut tail nor a log that was written anew;
a checkpoint kept elsewhere does.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from exportguard.errors import ConfigurationError, InputError, RecordError
from exportguard.record.merkle import HASH_SIZE, Frontier

if TYPE_CHECKING:
    from exportguard.record.log import SqlLog

_ED25519: Final = b"\x01"
_DASH: Final = "—"


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs notes under *name*. `sign` takes bytes and gives a 64-byte Ed25519 signature: a file's key, or a KMS."""

    name: str
    public_key: bytes
    sign: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Verifier:
    """Knows a signature by *name* when it sees one. `public_key` is the raw 32 bytes."""

    name: str
    public_key: bytes

    def accepts(self, text: bytes, signature: bytes) -> bool:
        _, ed25519 = _cryptography()
        from cryptography.exceptions import InvalidSignature

        try:
            ed25519.Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, text)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a note says: the log had *size* records at *time*, and the tree over them this *root*."""

    origin: str
    size: int
    root: bytes
    time: datetime
    signatures: tuple[tuple[str, bytes], ...] = ()
    """Signer's name, and key id with signature."""

    @property
    def text(self) -> str:
        """The part that is signed."""
        root = base64.b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{root}\ntime {self.time.astimezone(UTC).isoformat()}\n"

    @property
    def note(self) -> str:
        lines = [f"{_DASH} {name} {base64.b64encode(data).decode()}\n" for name, data in self.signatures]
        return f"{self.text}\n{''.join(lines)}"

    @classmethod
    def parse(cls, note: str) -> Checkpoint:
        """Raises InputError for a note that is not such a checkpoint."""
        try:
            text, _, signed = note.partition("\n\n")
            origin, size, root, *more = text.split("\n")
            times = [line.removeprefix("time ") for line in more if line.startswith("time ")]
            signatures = []
            for line in signed.splitlines():
                dash, name, data = line.split(" ")
                if dash != _DASH:
                    raise ValueError
                signatures.append((name, base64.b64decode(data, validate=True)))
            found = cls(
                origin,
                int(size),
                base64.b64decode(root, validate=True),
                datetime.fromisoformat(times[0]),
                tuple(signatures),
            )
            if len(found.root) != HASH_SIZE or found.size < 0 or f"{found.text}\n" != f"{text}\n\n":
                raise ValueError
        except (ValueError, IndexError, binascii.Error):
            raise InputError(
                "this is not a checkpoint of a decision log", remedy="Give the note as it was printed."
            ) from None
        return found

    def signed_by(self, verifier: Verifier) -> bool:
        """True when one of the signatures is the verifier's and fits."""
        text = self.text.encode()
        return any(
            name == verifier.name
            and data[:4] == _key_id(name, verifier.public_key)
            and verifier.accepts(text, data[4:])
            for name, data in self.signatures
        )


def _key_id(name: str, public_key: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:4]


def make_checkpoint(
    log: SqlLog, *, at: datetime, origin: str = "exportguard", signer: Signer | None = None
) -> Checkpoint:
    """A checkpoint over the log as it is, kept in the log as well. Keep its note where the log's writer cannot reach.

    Raises:
        RecordError: the log cannot be read or written, or its state is damaged.
    """
    size, state = log.state()
    try:
        root = Frontier.from_bytes(size, state).root()
    except ValueError as error:
        raise RecordError("the state of the decision log is damaged; see `exportguard log verify`") from error
    made = Checkpoint(origin, size, root, at)
    if signer is not None:
        signature = signer.sign(made.text.encode())
        signed = (signer.name, _key_id(signer.name, signer.public_key) + signature)
        made = Checkpoint(origin, size, root, at, (signed,))
    log.keep_checkpoint(size, made.note)
    return made


def _cryptography() -> tuple[Any, Any]:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as error:
        raise ConfigurationError("signatures need cryptography", remedy="pip install 'exportguard[sign]'") from error
    return serialization, ed25519


def _why(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or "it is not such a key"


def make_key(path: str | os.PathLike[str], name: str) -> Verifier:
    """Write a new private key (PEM, PKCS 8, unencrypted, for this user alone) to *path*, and its public half beside it:
    `log.pem` and `log.pub.pem`. Neither may exist yet.

    Raises:
        ConfigurationError: one of them cannot be written, or is there; none is left behind then.
    """
    serialization, ed25519 = _cryptography()
    _check_name(name)
    key = ed25519.Ed25519PrivateKey.generate()
    data = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    private_file = Path(path)
    public_file = private_file.with_name(f"{private_file.stem}.pub{private_file.suffix}")
    written: list[Path] = []
    for file, content, mode in ((private_file, data, 0o600), (public_file, public, 0o644)):
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            written.append(file)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
        except OSError as error:
            for half in written:
                half.unlink()
            raise ConfigurationError(
                f"the key cannot be written: {error.strerror}", place=str(file), remedy="Name a file that is not there."
            ) from error
    return Verifier(name, key.public_key().public_bytes_raw())


def file_signer(path: str | os.PathLike[str], name: str) -> Signer:
    """Signs with the Ed25519 private key in the PEM file *path*.

    Raises:
        ConfigurationError: no such key, or the extra `sign` is missing.
    """
    serialization, ed25519 = _cryptography()
    _check_name(name)
    try:
        key = serialization.load_pem_private_key(Path(path).read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(
            f"the signing key cannot be read: {_why(error)}", place=os.fspath(path),
            remedy="Give an unencrypted Ed25519 private key in PEM; `exportguard log checkpoint --new-key` makes one.",
        ) from None  # fmt: skip
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise ConfigurationError("the signing key is not an Ed25519 key", place=os.fspath(path))
    return Signer(name, key.public_key().public_bytes_raw(), key.sign)


def file_verifier(path: str | os.PathLike[str], name: str) -> Verifier:
    """Verifies with the Ed25519 public key in the PEM file *path* (a private key's file does as well)."""
    serialization, ed25519 = _cryptography()
    try:
        data = Path(path).read_bytes()
        if b"PRIVATE KEY" in data:
            key = serialization.load_pem_private_key(data, password=None).public_key()
        else:
            key = serialization.load_pem_public_key(data)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(
            f"the public key cannot be read: {_why(error)}", place=os.fspath(path),
            remedy="Give the Ed25519 public key in PEM that was made beside the signing key.",
        ) from None  # fmt: skip
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise ConfigurationError("the public key is not an Ed25519 key", place=os.fspath(path))
    return Verifier(name, key.public_bytes_raw())


def _check_name(name: str) -> None:
    if not name or any(ch.isspace() or ch == "+" for ch in name):
        raise ConfigurationError(f"`{name}` cannot name a key", remedy="Use a name without blanks and plus signs.")
