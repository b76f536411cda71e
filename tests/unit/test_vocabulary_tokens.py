"""How many tokens a call is counted as, before it is sent."""

from __future__ import annotations

from typing import Any

import pytest

from exportguard.adapters.azure.facts import observe as observe_azure
from exportguard.adapters.openai.facts import observe
from exportguard.vocabulary import ProvisioningRequest, Unknown
from exportguard.vocabulary.tokens import input_tokens


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        ({}, 0),
        (None, 0),
        ({"model": "m" * 400}, 0),
        ({"input": "12345678"}, 2),
        ({"input": "123456789"}, 3),
        ({"input": [1, 2, 3]}, 3),
        ({"input": ["1234", "1234"]}, 2),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "x" * 388}]}]}, 99),
        ({"prompt": "中文字符"}, 3),
        ({"input": [{"image_url": "data:image/png;base64," + "A" * 10_000}]}, 0),
    ],
)
def test_the_text_that_is_sent_is_counted(body: Any, tokens: int) -> None:
    """About four bytes a token, tokens that are given as numbers each as one; nothing for what is no text."""
    assert input_tokens(body) == tokens


@pytest.mark.parametrize(
    ("path", "body", "tokens"),
    [
        ("/chat/completions", {"max_tokens": 100, "messages": [{"content": "x" * 40}]}, 110),
        ("/chat/completions", {"max_completion_tokens": 100, "n": 3, "messages": []}, 300),
        ("/responses", {"max_output_tokens": 50, "input": "x" * 40, "instructions": "x" * 40}, 70),
        ("/embeddings", {"input": "x" * 40}, 10),
        ("/chat/completions", {"messages": [{"content": "x" * 40}]}, None),
        ("/chat/completions", {"max_tokens": "many", "messages": []}, None),
    ],
)
def test_what_is_planned_and_what_is_sent_add_up(path: str, body: Any, tokens: int | None) -> None:
    """The same through either SDK; a call that sets no limit on its answer is unknown."""
    for seen in (
        observe("https://api.openai.com/v1", path, {"model": "gpt-4o", **body}),
        observe_azure("POST", f"https://acct.openai.azure.com/openai/v1{path}", {"model": "prod", **body}),
    ):
        assert isinstance(seen, ProvisioningRequest)
        assert isinstance(seen.items, tuple)
        found = seen.items[0].tokens
        assert found == tokens if tokens is not None else isinstance(found, Unknown)
