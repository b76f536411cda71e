"""`exportguard fmt`: one layout for policy files."""

from __future__ import annotations

import os
import sys
import tempfile
from difflib import unified_diff
from pathlib import Path
from typing import Annotated, Any

import typer

from exportguard.errors import ConfigurationError

HELP = """Lay policy files out: indentation, order of keys, spacing of conditions. Comments and meaning are kept.

A PATH is a file, a folder, or `-` for standard input to standard output. Left out: the configured policies, else the
folder `policies`.

Example: exportguard fmt --check --diff policies/

Exit code: 0 done (with --check: nothing to do), 1 with --check: some file would change, 2 a file cannot be read.
"""


def fmt(
    paths: Annotated[list[str] | None, typer.Argument(metavar="[PATH...]", help="Files and folders.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; say which files would change.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Change nothing; print what would change.")] = False,
) -> None:
    from exportguard.authoring.files import files_of
    from exportguard.cli.settings import policy_paths

    given: list[Any] = list(paths or policy_paths())
    if given == ["-"]:
        raise typer.Exit(_standard_input(check, diff))
    files = files_of(given)
    if not files:
        raise ConfigurationError(
            f"no YAML file in {', '.join(f'`{path}`' for path in given)}", remedy="Name a policy folder or file."
        )
    changed = failed = 0
    for file in files:
        try:
            before, after = _formatted(file.path, file.name)
        except ValueError as error:
            print(str(error), file=sys.stderr)
            failed += 1
            continue
        if before == after:
            continue
        changed += 1
        if diff:
            sys.stdout.write(_diff(before, after, file.name))
        elif check:
            print(f"would change {file.name}")
        if not (check or diff):
            _write(file.path, after)
            print(f"changed {file.name}")
    print(f"{changed} of {len(files)} files {'would change' if check or diff else 'changed'}", file=sys.stderr)
    raise typer.Exit(2 if failed else 1 if changed and check else 0)


def _formatted(path: Path, name: str) -> tuple[str, str]:
    """The text before and after. Raises ValueError: it cannot be read or laid out."""
    from exportguard.authoring.fmt import FormatError, format_text
    from exportguard.errors import PolicyError
    from exportguard.language import PolicySource

    try:
        source = PolicySource.from_path(path, name)
        return path.read_bytes().decode("utf-8"), format_text(source)
    except (PolicyError, FormatError) as error:
        raise ValueError(str(error)) from None


def _standard_input(check: bool, diff: bool) -> int:
    from exportguard.authoring.fmt import FormatError, format_text
    from exportguard.errors import PolicyError
    from exportguard.language import PolicySource

    try:
        source = PolicySource.from_bytes("<stdin>", sys.stdin.buffer.read())
        made = format_text(source)
    except (PolicyError, FormatError) as error:
        print(str(error), file=sys.stderr)
        return 2
    if diff:
        sys.stdout.write(_diff(source.text, made, "<stdin>"))
    elif not check:
        sys.stdout.write(made)
    return 1 if check and made != source.text else 0


def _diff(before: str, after: str, name: str) -> str:
    lines = unified_diff(before.splitlines(), after.splitlines(), name, f"{name} (laid out)", lineterm="")
    return "".join(f"{line}\n" for line in lines)


def _write(path: Path, text: str) -> None:
    """In one step: an interrupted run leaves the old file or the new one, never half of it."""
    target = path.resolve()
    try:
        mode = target.stat().st_mode
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
            Path(temporary).chmod(mode)
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigurationError(f"cannot be written: {error.strerror}", place=str(path)) from None
