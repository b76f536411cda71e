"""A checked tree as a function that answers for one combination of facts, and never raises."""

from __future__ import annotations

from typing import Any

from exportguard.language.evaluation import Cause, Indeterminate, Scope, settle
from exportguard.language.fastpath import Fast, build_fast
from exportguard.language.schema import ACCELERATOR_ONLY, MODEL_ONLY, ROOTS
from exportguard.language.syntax import Node, from_data, path_text, to_data, walk
from exportguard.language.threevalued import Run, build, question_of
from exportguard.vocabulary.questions import OwnershipQuestion


class CompiledCondition:
    """One condition, ready to be asked. Nothing that can be seen of it changes; thread-safe.

    `roots` are what it has to be asked over, `paths` the facts it mentions, sorted; `tree` is the checked tree with
    its variables put in.
    """

    __slots__ = ("_fast", "_slow", "ownership_questions", "paths", "roots", "text", "tree")

    def __init__(self, tree: Node, text: str = "") -> None:
        self.tree, self.text = tree, text
        self.paths = fact_paths(tree)
        self.roots = frozenset(path.partition(".")[0] for path in self.paths)
        self.ownership_questions: frozenset[OwnershipQuestion] = frozenset(
            question_of(node) for node in walk(tree) if node.op == "owned"
        )
        # Made when first asked: most conditions are asked together with others (`together.py`).
        self._slow: Run | None = None
        self._fast: Fast | None = None

    def __call__(self, scope: Scope) -> bool | Indeterminate:
        """Answer for *scope*: True, False or `Indeterminate`. Never raises: what goes wrong is an error cause."""
        try:
            fast = self._fast
            if fast is None:
                fast = self._fast = build_fast(self.tree)
            answer = fast(scope)
            if answer is True or answer is False:
                return answer
        except Exception:  # noqa: BLE001, S110 - anything unusual is for the three-valued path to name
            pass
        return self.ask_slowly(scope)

    def ask_slowly(self, scope: Scope) -> bool | Indeterminate:
        """The same answer by the three-valued path alone."""
        try:
            slow = self._slow
            if slow is None:
                slow = self._slow = build(self.tree)
            answer = slow(scope, ())
        except Exception as error:  # noqa: BLE001 - a rule is never skipped: what fails is indeterminate
            return settle([Cause("", f"the evaluation failed ({type(error).__name__})", "error")])
        if answer is True or answer is False:
            return bool(answer)
        if answer.__class__ is Indeterminate and answer.causes:
            return settle(answer.causes)
        return settle([Cause("", "the condition is neither true nor false", "error")])

    def to_data(self) -> list[Any]:
        return [self.text, to_data(self.tree)]

    @classmethod
    def from_data(cls, data: list[Any]) -> CompiledCondition:
        """Raises ValueError for anything that `to_data` did not write."""
        text, tree = data
        return cls(from_data(tree), text)

    def __reduce__(self) -> tuple[Any, ...]:
        return (CompiledCondition, (self.tree, self.text))

    def __repr__(self) -> str:
        return f"CompiledCondition({self.text.strip()!r})"


def fact_paths(tree: Node) -> tuple[str, ...]:
    """The longest fact paths from a root that the tree mentions, each once, sorted. A bare root stands for itself."""
    found: set[str] = set()

    seen: set[tuple[int, frozenset[str]]] = set()

    def visit(node: Node, bound: frozenset[str]) -> None:
        key = (id(node), bound)
        if key in seen:
            return
        seen.add(key)
        path = path_text(node)
        if path is not None:
            root = path.partition(".")[0]
            if root in ROOTS and root not in bound:
                found.add(path)
            return
        if node.op == "owned" and path_text(node.args[0]) == "party":
            found.add("party.owners")
            return
        if node.op == "macro":
            visit(node.args[0], bound)
            inner = bound | {node.value[1]}
            for arg in node.args[1:]:
                visit(arg, inner)
            return
        for arg in node.args:
            visit(arg, bound)

    visit(tree, frozenset())
    return tuple(sorted(found))


def item_kinds(paths: tuple[str, ...]) -> frozenset[str]:
    """The kinds of item that conditions over *paths* are asked of: of both where both or neither is named."""
    heads = {".".join(path.split(".")[:2]) for path in paths}
    accelerator, model = bool(heads & ACCELERATOR_ONLY), bool(heads & MODEL_ONLY)
    if accelerator == model:
        return frozenset({"accelerator", "model"})
    return frozenset({"accelerator"}) if accelerator else frozenset({"model"})
