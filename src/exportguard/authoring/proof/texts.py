"""Texts as terms: constants, cases, words of a finite vocabulary, and strings of Z3's own theory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

from exportguard.authoring.proof.logic import B, Z, both, conj, disj, neg, string, z3
from exportguard.authoring.proof.terms import Cases, UnsupportedError, Word

BITS = 16
_PRODUCT = 4096
"""Pairs of words that are written out; past it a comparison of two vocabularies is not covered."""

TESTS: dict[str, Callable[[str, str], bool]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": lambda text, part: part in text,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


class Dictionary:
    """Texts as numbers, so that equality of two words is equality of two bit vectors."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._texts: list[str] = []
        self.domains: dict[str, tuple[str, ...]] = {}
        """The words that each unknown may be, by its name."""
        self._numerals: dict[int, Z] = {}
        self._tests: dict[tuple[int, frozenset[str]], tuple[Z, B]] = {}

    def number(self, text: str) -> int:
        found = self._numbers.get(text)
        if found is None:
            found = self._numbers[text] = len(self._texts)
            if found >= 2**BITS:
                raise UnsupportedError("more texts than are told apart")
            self._texts.append(text)
        return found

    def text(self, number: int) -> str:
        return self._texts[number]

    def knows(self, number: int) -> bool:
        return number < len(self._texts)

    def word(self, name: str, domain: Iterable[str]) -> tuple[Word, B]:
        """A new word, and the formula that it is one of *domain*."""
        words = frozenset(domain)
        numbers = sorted(self.number(text) for text in words)
        made = z3().BitVec(name, BITS)
        self.domains[name] = tuple(sorted(words))
        module = z3()
        runs: list[B] = []
        start = previous = numbers[0]
        for each in [*numbers[1:], -1]:
            if each == previous + 1:
                previous = each
                continue
            if start == previous:
                runs.append(made == start)
            else:
                runs.append(module.And(module.UGE(made, start), module.ULE(made, previous)))
            start = previous = each
        return Word(made, words), disj(runs)

    def is_one_of(self, word: Word, texts: frozenset[str]) -> B:
        meant = word.domain & texts
        if not meant:
            return False
        if meant == word.domain:
            return True
        key = (word.number.get_id(), meant)
        found = self._tests.get(key)
        if found is None:
            # The expression is kept with the answer, so that its id is not given to another one.
            rest = word.domain - meant
            if len(rest) < len(meant):
                formula = neg(disj(self._is(word.number, self.number(text)) for text in sorted(rest)))
            else:
                formula = disj(self._is(word.number, self.number(text)) for text in sorted(meant))
            found = self._tests[key] = (word.number, formula)
        return found[1]

    def only(self, text: str) -> Word:
        """A word that is *text*: where it may have to be chosen instead of an unknown one."""
        return Word(z3().BitVecVal(self.number(text), BITS), frozenset((text,)))

    def _is(self, unknown: Z, number: int) -> B:
        """``unknown == number``, made without the coercions that Z3's operators go through."""
        module = z3()
        numeral = self._numerals.get(number)
        if numeral is None:
            numeral = self._numerals[number] = module.BitVecVal(number, BITS)
        context = unknown.ctx
        return module.BoolRef(module.Z3_mk_eq(context.ref(), unknown.as_ast(), numeral.as_ast()), context)

    # -- what is asked of texts

    def one_of(self, value: Any, texts: frozenset[str]) -> B:
        """Whether a text is one of *texts*."""
        if isinstance(value, str):
            return value in texts
        if isinstance(value, Cases):
            return disj(test for test, text in value.of if text in texts)
        if isinstance(value, Word):
            return self.is_one_of(value, texts)
        return disj(value == string(text) for text in sorted(texts))

    def satisfies(self, value: Any, test: Callable[[str], bool]) -> B:
        """Whether a text of a finite vocabulary passes *test*."""
        if isinstance(value, str):
            return test(value)
        if isinstance(value, Cases):
            return disj(case for case, text in value.of if test(text))
        if isinstance(value, Word):
            return self.is_one_of(value, frozenset(text for text in value.domain if test(text)))
        raise UnsupportedError("this test of a free text")

    def equal(self, left: Any, right: Any) -> B:
        if isinstance(left, str):
            return self.one_of(right, frozenset((left,)))
        if isinstance(right, str):
            return self.one_of(left, frozenset((right,)))
        if isinstance(left, Word) and isinstance(right, Word):
            return left.number == right.number if left.domain & right.domain else False
        if _free(left) or _free(right):
            return self.string(left) == self.string(right)
        if isinstance(right, Cases):
            return disj(both(test, self.equal(left, text)) for test, text in right.of)
        return disj(both(test, self.equal(right, text)) for test, text in left.of)

    def relate(self, name: str, left: Any, right: Any) -> B:
        """`startsWith`, `endsWith`, `contains` and the orders."""
        if isinstance(left, str) and isinstance(right, str):
            return TESTS[name](left, right)
        if _free(left) or _free(right):
            return string_relation(name, self.string(left), self.string(right))
        if isinstance(right, str):
            return self.satisfies(left, lambda text: TESTS[name](text, right))
        pairs = list(product(self.cases(left), self.cases(right)))
        if len(pairs) > _PRODUCT:
            raise UnsupportedError(f"`{name}` between two vocabularies")
        return disj(conj((p, q)) for (p, a), (q, b) in pairs if TESTS[name](a, b))

    def cases(self, value: Any) -> tuple[tuple[B, str], ...]:
        if isinstance(value, str):
            return ((True, value),)
        if isinstance(value, Cases):
            return value.of
        if isinstance(value, Word):
            return tuple((value.number == self.number(text), text) for text in sorted(value.domain))
        raise UnsupportedError("a free text by cases")

    def string(self, value: Any) -> Z:
        """Any text as an expression of the string theory."""
        if _free(value):
            return value
        *first, last = self.cases(value)
        made = string(last[1])
        for test, text in reversed(first):
            made = z3().If(test, string(text), made)
        return made

    def joined(self, left: Any, right: Any) -> Any:
        if isinstance(left, str) and isinstance(right, str):
            return left + right
        if not _free(left) and not _free(right):
            pairs = [(both(p, q), a + b) for (p, a), (q, b) in product(self.cases(left), self.cases(right))]
            if len(pairs) <= _PRODUCT:
                return Cases(tuple(pairs))
        return z3().Concat(self.string(left), self.string(right))

    def size(self, value: Any) -> Any:
        if isinstance(value, str):
            return len(value)
        if _free(value):
            return z3().Length(value)
        by_size: dict[int, list[B]] = {}
        for test, text in self.cases(value):
            by_size.setdefault(len(text), []).append(test)
        return Cases(tuple((disj(tests), size) for size, tests in sorted(by_size.items())))


def _free(value: Any) -> bool:
    return not isinstance(value, str | Cases | Word)


def text_of(value: Z) -> str:
    """The text behind a string literal of a model."""
    import re

    return re.sub(r"\\u\{([0-9a-fA-F]+)\}", lambda found: chr(int(found.group(1), 16)), value.as_string())


def string_relation(name: str, left: Z, right: Z) -> B:
    module = z3()
    if name == "startsWith":
        return module.PrefixOf(right, left)
    if name == "endsWith":
        return module.SuffixOf(right, left)
    if name == "contains":
        return module.Contains(left, right)
    if name in ("<", "<="):
        return left < right if name == "<" else left <= right
    return right < left if name == ">" else neg(left < right)
