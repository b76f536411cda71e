"""Closed sets of names, written as text."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The space-separated words of *text*, in lower case."""
    return frozenset(text.lower().split())
