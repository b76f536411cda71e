"""The wording of a part of a condition. It lives with the language, where explanations use it too."""

from __future__ import annotations

from exportguard.language.wording import short, wording

__all__ = ["short", "wording"]
