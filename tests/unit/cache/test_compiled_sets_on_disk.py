"""The cache of compiled sets: never needed, never trusted further than its owner."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from decide_strategies import reference
from exportguard import cache
from exportguard.errors import PolicyError
from exportguard.language import PolicySource
from exportguard.packs import policy_sources

posix = pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
SOURCE = PolicySource("p.yaml", 'policy: p\nrules:\n  - id: r\n    effect: deny\n    when: party.country == "CN"\n')


def _entry(folder: Path) -> Path:
    (found,) = folder.glob("*.compiled")
    return found


def _load(folder: Path, *sources: PolicySource) -> str:
    return cache.load_policies(sources or (SOURCE,), reference(), folder=folder).digest


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts what is compiled from text."""
    from exportguard import language

    original, count = language.load_policies, []

    def counting(*args, **kwargs):
        count.append(1)
        return original(*args, **kwargs)

    monkeypatch.setattr(language, "load_policies", counting, raising=False)
    return count


def test_what_was_compiled_once_is_read_after_that(tmp_path: Path, compiled: list[int]) -> None:
    """By whoever asks next, with the same digest; another text is another entry."""
    first = _load(tmp_path / "cache")
    assert _load(tmp_path / "cache") == first
    assert len(compiled) == 1
    other = PolicySource("p.yaml", SOURCE.text.replace("CN", "IR"))
    assert _load(tmp_path / "cache", other) != first
    assert len(compiled) == 2


def test_a_start_from_the_cache_imports_no_parser(tmp_path: Path) -> None:
    """Neither cel-python nor lark nor the checker."""
    code = (
        "import sys\n"
        "from exportguard import cache\nfrom exportguard.packs import policy_sources\n"
        "from exportguard.reference import default\n"
        f"cache.load_policies(policy_sources(), default(), folder={str(tmp_path / 'cache')!r})\n"
        "print([m for m in ('celpy', 'lark', 'yaml', 'exportguard.language.check') if m in sys.modules])\n"
    )
    said = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(2)]
    assert "lark" in said[0].stdout
    assert said[1].stdout.strip() == "[]"


@posix
def test_entries_are_for_their_owner_alone(tmp_path: Path) -> None:
    """0600 in a folder of 0700."""
    _load(tmp_path / "cache")
    assert _entry(tmp_path / "cache").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700
    assert [p.name for p in (tmp_path / "cache").iterdir()] == [_entry(tmp_path / "cache").name]


@posix
@pytest.mark.parametrize("mode", [0o666, 0o620, 0o602, 0o644])
def test_an_entry_that_others_may_touch_is_ignored_and_made_again(
    tmp_path: Path, compiled: list[int], mode: int
) -> None:
    """And is its owner's alone afterwards."""
    _load(tmp_path)
    entry = _entry(tmp_path)
    entry.chmod(mode)
    _load(tmp_path)
    assert len(compiled) == 2
    assert _entry(tmp_path).stat().st_mode & 0o777 == 0o600


@posix
def test_a_folder_that_others_may_write_is_not_used(tmp_path: Path, compiled: list[int]) -> None:
    """Somebody could put an entry of theirs in the place of ours."""
    _load(tmp_path / "c")
    (tmp_path / "c").chmod(0o777)
    _load(tmp_path / "c")
    assert len(compiled) == 2
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    _load(tmp_path / "open")
    assert not list((tmp_path / "open").iterdir())


@posix
def test_a_link_is_not_followed(tmp_path: Path, compiled: list[int]) -> None:
    """Nor a pipe read, nor a folder: the set is compiled."""
    _load(tmp_path)
    entry = _entry(tmp_path)
    entry.rename(tmp_path / "elsewhere")
    entry.symlink_to(tmp_path / "elsewhere")
    _load(tmp_path)
    entry.unlink()
    os.mkfifo(entry)
    _load(tmp_path)
    assert len(compiled) == 3


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: b"",
        lambda raw: raw[:-1],
        lambda raw: raw + b" ",
        lambda raw: raw[:100] + bytes([raw[100] ^ 1]) + raw[101:],
        lambda raw: raw.replace(b"CN", b"IR"),
        lambda raw: b"exportguard-compiled\n" + raw,
        lambda raw: b"cos\nsystem\n(S'true'\ntR.",
    ],
)
def test_a_damaged_entry_is_made_again(tmp_path: Path, compiled: list[int], damage) -> None:
    """Cut short, grown, changed in one bit or something else altogether."""
    first = _load(tmp_path)
    entry = _entry(tmp_path)
    entry.write_bytes(damage(entry.read_bytes()))
    assert _load(tmp_path) == first
    assert len(compiled) == 2
    assert _load(tmp_path) == first
    assert len(compiled) == 2


def test_an_entry_under_another_name_is_not_taken(tmp_path: Path, compiled: list[int]) -> None:
    """A whole entry of other rules, moved to the place of these."""
    other = PolicySource("p.yaml", SOURCE.text.replace("CN", "IR"))
    _load(tmp_path / "a", other)
    digest = _load(tmp_path / "b")
    _entry(tmp_path / "b").write_bytes(_entry(tmp_path / "a").read_bytes())
    assert _load(tmp_path / "b") == digest


def test_an_entry_of_another_version_is_another_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Library, format and reference data are part of the name."""
    keys = {cache.compiled_key((SOURCE,), reference())}
    monkeypatch.setattr(cache, "__version__", "0.0.0")
    keys.add(cache.compiled_key((SOURCE,), reference()))
    monkeypatch.setattr(cache, "FORMAT", 99)
    keys.add(cache.compiled_key((SOURCE,), reference()))
    assert len(keys) == 3


def test_the_order_of_sources_changes_nothing() -> None:
    """As it changes nothing when they are compiled."""
    sources = policy_sources()
    assert cache.compiled_key(sources, reference()) == cache.compiled_key((*sources[::-1], sources[0]), reference())


def test_a_policy_that_does_not_load_is_refused_each_time_and_kept_never(tmp_path: Path) -> None:
    """With its diagnostics."""
    for _ in range(2):
        with pytest.raises(PolicyError) as caught:
            _load(tmp_path, PolicySource("p.yaml", SOURCE.text.replace("CN", "China")))
        assert caught.value.diagnostics[0].code == "EG208"
    assert not list(tmp_path.glob("*.compiled"))


def test_a_place_that_refuses_is_no_error(tmp_path: Path) -> None:
    """A file where the folder should be, and a folder that cannot be made."""
    (tmp_path / "file").write_text("x")
    _load(tmp_path / "file")
    _load(tmp_path / "file" / "below")


def test_many_at_once_leave_one_whole_entry(tmp_path: Path) -> None:
    """Threads that write the same entry do not meet halves of it."""
    digests: list[str] = []
    threads = [threading.Thread(target=lambda: digests.append(_load(tmp_path / "c"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(digests)) == 1
    assert len(digests) == 8
    assert len(list((tmp_path / "c").iterdir())) == 1


def test_old_entries_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder does not grow for ever."""
    monkeypatch.setattr(cache, "KEPT", 3)
    for number in range(6):
        _load(tmp_path, PolicySource("p.yaml", SOURCE.text.replace("id: r", f"id: r{number}")))
    assert len(list(tmp_path.glob("*.compiled"))) == 3
