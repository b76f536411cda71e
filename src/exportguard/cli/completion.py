"""`exportguard completion`: the script that completes verbs, options and words in a shell."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

HELP = """Print the completion script of a shell.

Example: exportguard completion bash > ~/.local/share/bash-completion/completions/exportguard
"""


class Shell(StrEnum):
    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


def completion(shell: Annotated[Shell, typer.Argument(help="Which shell.")]) -> None:
    from typer.completion import get_completion_script  # type: ignore[attr-defined,unused-ignore]

    print(get_completion_script(prog_name="exportguard", complete_var="_EXPORTGUARD_COMPLETE", shell=shell.value))
