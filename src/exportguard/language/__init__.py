"""Policy text to rules that can be asked: read, checked against the fact schema, compiled to three-valued functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exportguard.language.compile import CompiledCondition
    from exportguard.language.evaluation import Answer, Cause, Indeterminate, Scope, World
    from exportguard.language.loader import compile_scope, load_policies
    from exportguard.language.policyset import CompiledPolicySet, CompiledRule, Reference
    from exportguard.language.source import PolicySource
    from exportguard.language.together import Together

_WHERE = {
    "Answer": "evaluation", "Cause": "evaluation", "Indeterminate": "evaluation", "Scope": "evaluation",
    "World": "evaluation", "CompiledCondition": "compile", "CompiledPolicySet": "policyset",
    "CompiledRule": "policyset", "Reference": "policyset", "PolicySource": "source", "compile_scope": "loader",
    "load_policies": "loader", "Together": "together",
}  # fmt: skip

__all__ = [
    "Answer", "Cause", "CompiledCondition", "CompiledPolicySet", "CompiledRule", "Indeterminate", "PolicySource",
    "Reference", "Scope", "Together", "World", "compile_scope",
    "load_policies",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
