"""What botocore does not hand to its handlers: whose call it is, and which call a prepared request belongs to."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import Any


def client_of(service_model: Any) -> Any:
    """The client whose call this is: events don't name it, but it is a few frames up, and owns the service model."""
    frame: Any = sys._getframe(2)
    for _ in range(30):
        if frame is None:
            return None
        # Reading a frame's variables copies them all: only what botocore names so is a client's own.
        if frame.f_code.co_name in _CLIENT_METHODS:
            candidate = frame.f_locals.get("self")
            if candidate is not None and getattr(type(candidate), "_make_api_call", None) is not None:
                meta = getattr(candidate, "meta", None)
                if getattr(meta, "service_model", None) is service_model:
                    return candidate
        frame = frame.f_back
    return None


_CLIENT_METHODS = frozenset({
    "_make_api_call", "_emit_api_params", "_convert_to_request_dict", "_resolve_endpoint_ruleset", "_make_request",
    "generate_presigned_url", "generate_presigned_post",
})  # fmt: skip
"""Methods of botocore's client, aiobotocore's too, from which its events are emitted."""


@cache
def carries_context() -> bool:
    """Whether a prepared request says whose it is (botocore 1.43.117 does, 1.34.106 does not)."""
    from inspect import signature

    from botocore.awsrequest import AWSPreparedRequest

    return "context" in signature(AWSPreparedRequest.__init__).parameters


def carrying(request: Any) -> Callable[[], Any]:
    """`request.prepare`, whose result carries the request's context."""
    prepare = type(request).prepare

    def carried() -> Any:
        prepared = prepare(request)
        prepared.context = request.context
        return prepared

    return carried
