"""What a service's answer says: how the call ended, the tokens it took; and the answer that a refused call gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exportguard.errors import GuardError
from exportguard.vocabulary import CallResult

_THROTTLED = frozenset({
    "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException", "TooManyRequestsException",
    "ProvisionedThroughputExceededException", "TransactionInProgressException", "RequestLimitExceeded",
    "BandwidthLimitExceeded", "LimitExceededException", "RequestThrottled", "SlowDown", "PriorRequestNotComplete",
    "EC2ThrottledException", "RequestTimeout", "RequestTimeoutException",
})  # fmt: skip


def refused(request: Any) -> Any:
    """What a service would answer to a call that it does not permit; botocore raises it as a `ClientError`."""
    if type(request).__module__.startswith("aiobotocore"):
        raise GuardError("the call was refused, and something swallowed the refusal")
    import io

    from botocore.awsrequest import AWSResponse

    class Raw(io.BytesIO):
        def stream(self, **_: Any) -> Any:
            yield self.read()

    form = "x-www-form-urlencoded" in str(request.headers.get("Content-Type"))
    error = b"<Error><Code>AccessDenied</Code><Message>refused by exportguard</Message></Error>"
    body = b"<Response><Errors>" + error + b"</Errors></Response>" if form else b'{"message": "refused by exportguard"}'
    headers = {"x-amzn-errortype": "AccessDenied"}
    return AWSResponse(request.url, 403, headers, Raw(body))


def result(http_response: Any, parsed: Any) -> tuple[CallResult, dict[str, Any]]:
    """How the call ended. A refusal after a retry is unclear: an earlier attempt may have been carried out."""
    answer = _structure(parsed)
    metadata = _structure(answer.get("ResponseMetadata"))
    code = _structure(answer.get("Error")).get("Code")
    status = getattr(http_response, "status_code", None) or metadata.get("HTTPStatusCode")
    retries = metadata.get("RetryAttempts") or 0
    details = {"status": status, "code": code, "request_id": metadata.get("RequestId"), "retries": retries}
    if not isinstance(status, int):
        return (CallResult.UNCLEAR if code else CallResult.SUCCEEDED), details
    if status < 300:
        return CallResult.SUCCEEDED, details
    definite = 400 <= status < 500 and status not in (408, 429) and code not in _THROTTLED and not retries
    return (CallResult.FAILED if definite else CallResult.UNCLEAR), details


def _structure(value: Any) -> Mapping[str, Any]:
    return value if type(value) is dict or isinstance(value, Mapping) else _NOTHING


_NOTHING: Mapping[str, Any] = {}

_TOKEN_HEADERS = ("x-amzn-bedrock-input-token-count", "x-amzn-bedrock-output-token-count")


def tokens(http_response: Any, parsed: Any) -> int | None:
    """The tokens that a call of a model turned out to use, where its answer says so: Converse in its body, InvokeModel
    in its headers."""
    usage = parsed.get("usage") if isinstance(parsed, Mapping) else None
    if isinstance(usage, Mapping) and type(usage.get("totalTokens")) is int:
        return int(usage["totalTokens"])
    headers = getattr(http_response, "headers", None)
    counts = [headers.get(name) for name in _TOKEN_HEADERS] if isinstance(headers, Mapping) else []
    found = [int(each) for each in counts if isinstance(each, str) and each.isascii() and each.isdigit()]
    return sum(found) if found and len(found) == len(counts) else None
