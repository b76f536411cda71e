"""Looks up what a call only names, with the judged client's own credentials: read-only, limited in time, not judged."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextvars import copy_context
from functools import cache
from time import monotonic
from typing import Any, ClassVar
from urllib.parse import urlsplit

from exportguard.adapters.aws.lookup import Question, looking_up
from exportguard.adapters.aws.places import region_of_host
from exportguard.forks import Lock
from exportguard.vocabulary import Unknown

_READ_ONLY = ("Describe", "Get", "List", "Search", "BatchGet")
_KEPT = 512
_FAILURE_KEPT_SECONDS = 60.0
"""A look-up that failed is not tried again for a while: no call waits twice for an unreachable endpoint."""


class ClientResolver:
    """Answers with clients made like the judged one: its credentials, its region, its endpoint if that is not AWS's.

    Args:
        credentials: botocore credentials; None: nothing is looked up.
        region: the judged client's region.
        endpoint_url: an endpoint that is not one of AWS's (a test server), used for every look-up; else None.
        seconds: the longest that one look-up may take, connecting included.
    """

    _failures: ClassVar[dict[str, tuple[float, str]]] = {}
    """What could not be reached, until when, and why: the same for every client of the process."""
    _accounts: ClassVar[dict[tuple[str, str | None], Mapping[str, Any]]] = {}
    """Who an access key belongs to (STS): processes that make a client for each call ask once."""

    def __init__(
        self,
        credentials: Any,
        region: str | None,
        endpoint_url: str | None,
        *,
        verify: Any = None,
        seconds: float = 4.0,
    ) -> None:
        self._credentials, self._region, self._endpoint_url = credentials, region, endpoint_url
        self._verify = verify
        self._seconds = seconds
        self._lock = Lock()
        self._clients: dict[tuple[str, str | None], Any] = {}
        self._answers: OrderedDict[str, Mapping[str, Any]] = OrderedDict()

    @classmethod
    def of(cls, client: Any, *, seconds: float = 4.0) -> ClientResolver:
        """A resolver with what *client* was made with."""
        url = client.meta.endpoint_url
        signer = getattr(client, "_request_signer", None)
        session = getattr(getattr(client, "_endpoint", None), "http_session", None)
        own = url if region_of_host(url) is None and _is_other(url) else None
        return cls(
            _synchronous(getattr(signer, "_credentials", None)),
            client.meta.region_name,
            own,
            verify=getattr(session, "_verify", None),
            seconds=seconds,
        )

    def ask(self, question: Question) -> Mapping[str, Any] | Unknown:
        """The answer, or why there is none. Never raises."""
        if not question.operation.startswith(_READ_ONLY):
            return Unknown("only read-only calls are made")
        if self._credentials is None:
            return Unknown("the client has no credentials to look things up with")
        key = f"{question.service}.{question.operation}.{question.region}.{sorted(question.parameters.items())!r}"
        place = f"{self._endpoint_url}|{question.service}.{question.region}"
        identity = self._identity() if question.operation == "GetCallerIdentity" else None
        with self._lock:
            kept = self._accounts.get(identity) if identity is not None else self._answers.get(key)
            failed = self._failures.get(place)
        if kept is not None:
            return kept
        if failed is not None and monotonic() < failed[0]:
            return Unknown(failed[1])
        answer = self._limited(question)
        with self._lock:
            if isinstance(answer, Unknown):
                if answer.reason.startswith(_UNREACHABLE):
                    until = monotonic() + _FAILURE_KEPT_SECONDS
                    self._failures[place] = (until, answer.reason)
            elif identity is not None:
                if len(self._accounts) >= _KEPT:
                    self._accounts.clear()
                self._accounts[identity] = answer
            elif question.immutable:
                self._answers[key] = answer
                while len(self._answers) > _KEPT:
                    self._answers.popitem(last=False)
        return answer

    def _identity(self) -> tuple[str, str | None] | None:
        key = getattr(self._credentials, "_access_key", None) or getattr(self._credentials, "access_key", None)
        return (key, self._endpoint_url) if isinstance(key, str) else None

    def _limited(self, question: Question) -> Mapping[str, Any] | Unknown:
        """The call on a thread of its own, left behind when time is up: DNS and proxies know no time-out."""
        future: Future[Mapping[str, Any] | Unknown] = Future()
        context = copy_context()

        def work() -> None:
            looking_up.set(True)
            try:
                future.set_result(self._call(question))
            except Exception as problem:  # noqa: BLE001 - whatever failed, the fact is unknown
                future.set_result(_why(question, problem))

        threading.Thread(target=context.run, args=(work,), name="exportguard-aws-look-up", daemon=True).start()
        try:
            return future.result(self._seconds)
        except FutureTimeoutError:
            return Unknown(f"{_UNREACHABLE} {question.service}.{question.operation} took too long")

    def _call(self, question: Question) -> Mapping[str, Any]:
        from botocore import xform_name

        client = self._client(question.service, question.region or self._region)
        answer: Mapping[str, Any] = getattr(client, xform_name(question.operation))(**question.parameters)
        return answer

    def _client(self, service: str, region: str | None) -> Any:
        from botocore.config import Config
        from botocore.session import Session

        with self._lock:
            client = self._clients.get((service, region))
        if client is None:
            session = Session()
            session.register_component("data_loader", _loader())
            session._credentials = self._credentials
            client = session.create_client(
                service,
                region_name=region,
                endpoint_url=self._endpoint_url,
                verify=self._verify,
                config=Config(
                    connect_timeout=self._seconds / 2,
                    read_timeout=self._seconds / 2,
                    retries={"total_max_attempts": 1, "mode": "standard"},
                ),
            )
            with self._lock:
                client = self._clients.setdefault((service, region), client)
        return client


@cache
def _loader() -> Any:
    """One for the process: what a service's API looks like is read once, not for each client that is judged."""
    from botocore.loaders import create_loader

    return create_loader()


_UNREACHABLE = "looking it up failed:"


def _why(question: Question, problem: Exception) -> Unknown:
    response = getattr(problem, "response", None)
    error = response.get("Error") if isinstance(response, Mapping) else None
    if isinstance(error, Mapping):
        return Unknown(f"{question.service}.{question.operation} answered {str(error.get('Code'))[:80]}")
    if type(problem).__name__ == "ParamValidationError":  # what the call names cannot exist; the endpoint is well
        return Unknown(f"{question.service}.{question.operation} takes no such names")
    return Unknown(f"{_UNREACHABLE} {question.service}.{question.operation}: {type(problem).__name__}")


def _synchronous(credentials: Any) -> Any:
    """Credentials that a synchronous client can sign with. aiobotocore's are awaited, so their values are copied."""
    if not type(credentials).__module__.startswith("aiobotocore"):
        return credentials
    from botocore.credentials import Credentials

    try:
        return Credentials(credentials.access_key, credentials.secret_key, credentials.token)
    except (AttributeError, NotImplementedError):
        return None


def _is_other(url: str | None) -> bool:
    try:
        host = urlsplit(url or "").hostname or ""
    except ValueError:
        return False
    return bool(host)
