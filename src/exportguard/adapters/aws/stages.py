"""The life of one botocore call between its events: judged, judged again where it turns out to go, released, settled.

botocore's order is `before-parameter-build`, `before-endpoint-resolution`, `before-call`, then attempts, then
`after-call` or `after-call-error`; one `context` dictionary goes through all of them and carries the state.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

from exportguard.adapters.aws.answers import refused, result, tokens
from exportguard.adapters.aws.classify import Standing, leads_nowhere, standing, surface, wholly_outside
from exportguard.adapters.aws.facts import observe, service_named, unreadable
from exportguard.adapters.aws.insides import carries_context, carrying, client_of
from exportguard.adapters.aws.lookup import Resolver, looking_up
from exportguard.adapters.aws.places import normal_region, region_of_host
from exportguard.adapters.aws.unchanged import Passing, address, fingerprint, regions_of, said_operation
from exportguard.errors import ExportguardError, GuardError
from exportguard.vocabulary import CallOrigin, CallResult, Gate, Judgement, Observation

_CO_COROUTINE = 0x80
_NEVER_SENT = frozenset({"NoCredentialsError", "PartialCredentialsError", "NoAuthTokenError", "TokenRetrievalError"})
"""botocore's exceptions from signing: nothing left the process."""


class CallState:
    """What is known of one call between its events."""

    __slots__ = ("attempts", "client", "fingerprint", "judgement", "operation", "parameters", "regions", "released",
                 "sent")  # fmt: skip

    def __init__(self, parameters: Any, client: Any) -> None:
        self.parameters = parameters
        self.client = client
        self.fingerprint: Any = None
        self.regions: frozenset[str] = frozenset()
        self.judgement: Judgement | None = None
        self.released = False
        self.operation: Passing | None = None
        self.sent: tuple[str | None, Any] | None = None
        """URL and body of the request that was released; what is signed and sent has to be that."""
        self.attempts = 0


_MOST_NAMES = 20_000
_nowhere: set[str] = set()
"""Names of the events of requests that lead nowhere, whatever is in them."""
_OUTSIDE: Any = object()
"""In the place of a call's state: the call cannot matter, and no later event needs to ask again."""


class Point:
    """The handlers of one hook, with the customer they act for. One per `attach` and one for `install`."""

    __slots__ = ("_key", "_stays", "active", "customer", "gate", "hook", "origin", "resolver_for", "stand_back",
                 "version")  # fmt: skip

    def __init__(
        self,
        hook: object,
        gate: Gate,
        resolver_for: Callable[[Any], Resolver | None],
        version: str,
        customer: str | None = None,
        stand_back: Callable[[Any, Point], None] | None = None,
    ) -> None:
        self.hook, self.gate, self.resolver_for, self.version = hook, gate, resolver_for, version
        self.customer = customer
        self.stand_back = stand_back
        self._stays: set[str] = set()
        """Services from whose clients these handlers are not taken away."""
        self.active = True
        self.origin = CallOrigin(point="boto3", customer=customer, sdk_version=version)
        self._key = f"exportguard-{id(hook):x}"

    # -- events --------------------------------------------------------------------------------------------------

    def on_parameters(self, params: Any = None, model: Any = None, context: Any = None, **_: Any) -> Any:
        """`before-parameter-build`, after every other handler: the parameters are final."""
        if not self.active:
            return None
        service = model.service_model.service_name
        if standing(service, model.name) is Standing.OUTSIDE:
            context[self._key] = _OUTSIDE
            if service not in self._stays:
                self._leave(service, model.service_model)
            return None
        if looking_up.get() or context.get(self._key).__class__ is CallState:
            return None
        state = context[self._key] = CallState(params, client_of(model.service_model))
        meta = getattr(state.client, "meta", None)
        url = getattr(meta, "endpoint_url", None)
        region = context.get("client_region") or getattr(meta, "region_name", None)
        presigned = bool(context.get("is_presign_request"))

        def work() -> None:
            self._judge(state, model, region, url, None)
            if presigned and state.client is not None and getattr(state.client, "_ruleset_resolver", 0) is None:
                self._release(state)  # no endpoint rules: there will be no later event for a presigned URL

        return _run(work, sys._getframe(1), lambda: self._unsent(state))

    def _leave(self, service: str, service_model: Any) -> None:
        """Leave the client of this call alone from now on, where nothing that it can call matters."""
        client = client_of(service_model) if self.stand_back is not None and wholly_outside(service_model) else None
        if client is None or self.stand_back is None:
            self._stays.add(service)
        else:
            self.stand_back(client.meta.events, self)

    def on_endpoint(
        self, builtins: Any = None, params: Any = None, model: Any = None, context: Any = None, **_: Any
    ) -> Any:
        """`before-endpoint-resolution`: the last event of a presigned URL, so it is released (recorded) here."""
        if not self.active or not context.get("is_presign_request"):
            return None
        if standing(model.service_model.service_name, model.name) is Standing.OUTSIDE or looking_up.get():
            return None
        state = context.get(self._key)
        if state.__class__ is not CallState:
            state = context[self._key] = CallState(params, client_of(model.service_model))
        region = normal_region((builtins or {}).get("AWS::Region"))
        endpoint = (builtins or {}).get("SDK::Endpoint")

        def work() -> None:
            state.parameters = params
            self._verify(state, model, region, endpoint, None)
            self._release(state)

        return _run(work, sys._getframe(1), lambda: self._unsent(state))

    def on_call(
        self, model: Any = None, params: Any = None, request_signer: Any = None, context: Any = None, **_: Any
    ) -> Any:
        """`before-call`: the URL is final. What goes elsewhere than was judged is judged again; then released."""
        state = context.get(self._key)
        if state is _OUTSIDE and self.active and model.service_model.service_name in surface():
            context[self._key] = Passing(params)
            return None
        if state is _OUTSIDE or state.__class__ is Passing or not self.active or looking_up.get():
            return None
        if state is None:
            if standing(model.service_model.service_name, model.name) is Standing.OUTSIDE:
                return None
            # The hook was put in while this call was under way: its parameters were not seen.
            state = context[self._key] = CallState(None, None)
        signing = context.get("signing")
        signing_region = signing.get("region") if isinstance(signing, Mapping) else None
        signed_for = signing_region or getattr(request_signer, "region_name", None)
        url = params.get("url") if isinstance(params, Mapping) else None

        def work() -> None:
            if not state.released:
                self._verify(state, model, context.get("client_region"), url, signed_for)
                self._release(state)
                body = params.get("body") if isinstance(params, Mapping) else None
                state.operation = Passing(params)
                state.sent = (url, dict(body) if isinstance(body, dict) else body)

        return _run(work, sys._getframe(1), lambda: self._unsent(state))

    def on_request(self, request: Any = None, event_name: Any = None, **_: Any) -> Any:
        """`request-created`, after its signing, each attempt: what was put in after the release is refused."""
        context = getattr(request, "context", None)
        state = context.get(self._key) if isinstance(context, dict) else None
        if state is _OUTSIDE or not self.active:
            return None
        if state.__class__ is Passing:
            if not state.still(request):
                raise GuardError("the request was changed into another operation; nothing was sent")
            return None
        if state is None:
            return None if event_name in _nowhere else self._past(request, event_name, sys._getframe(1))
        if not carries_context():
            request.prepare = carrying(request)
        if state.sent is not None:
            self._same(state, request.url, request.data)
            if state.operation is not None and not state.operation.still(request):
                raise GuardError("the request was changed into another operation; nothing was sent")
            state.attempts += 1
        return None

    def _past(self, request: Any, event_name: Any, caller: Any) -> Any:
        """A request that was made past the client (`client._endpoint.make_request`): nothing of it was seen."""
        _, _, name = str(event_name).partition(".")
        service, _, operation = name.partition(".")
        service = service_named(service)
        if leads_nowhere(service):
            if len(_nowhere) < _MOST_NAMES and type(event_name) is str:
                _nowhere.add(event_name)
            return None
        said = said_operation(request)
        operation = said or operation
        known = standing(service, operation)
        # Of a service that leads to accelerators or models, what nobody has seen yet may do so too; and where only the
        # address says what is asked for, so may whatever does not just read.
        hidden = said is None and str(request.method).upper() not in ("GET", "HEAD")
        matters = known is Standing.SURFACE or ((known is Standing.UNSEEN or hidden) and service in surface())
        if not matters or looking_up.get():
            return None
        context = request.context
        region = region_of_host(request.url) or context.get("client_region")

        state = CallState(None, None)

        def work() -> None:
            why = "the request was made past the client, and its parameters were not seen"
            judgement = self.gate.judge(lambda: unreadable(service, operation, region, why), self.origin)
            if judgement.refusal is not None:
                raise judgement.refusal
            context[self._key] = state
            state.judgement = judgement
            self._release(state)
            state.sent = (request.url, request.data)

        return _run(work, caller, lambda: self._unsent(state))

    def on_send(self, request: Any = None, **_: Any) -> Any:
        """`before-send`: the last look. A body that is a form is protected by its signature, others are compared.

        A refusal that somebody swallowed on its way ends here: an answer of ours takes the place of the network's.
        """
        context = getattr(request, "context", None)
        state = context.get(self._key) if isinstance(context, dict) else None
        if state.__class__ is not CallState or not self.active:
            return None
        if not state.released:
            return refused(request)
        if state.sent is not None and not isinstance(state.sent[1], dict):
            self._same(state, request.url, request.body)
        return None

    def _same(self, state: CallState, url: Any, body: Any) -> None:
        judged_url, judged_body = state.sent or (None, None)
        if isinstance(body, str) and isinstance(judged_body, (bytes, bytearray)):
            body = body.encode()
        elif isinstance(judged_body, str) and isinstance(body, (bytes, bytearray)):
            body = body.decode("utf-8", "replace")
        if address(url) != address(judged_url) or not (body is judged_body or (body or b"") == (judged_body or b"")):
            raise GuardError("the request was changed after it was judged; nothing was sent")

    def after_call(
        self, http_response: Any = None, parsed: Any = None, model: Any = None, context: Any = None, **_: Any
    ) -> Any:
        """`after-call`: the SDK's retries are over."""
        state = context.get(self._key) if isinstance(context, dict) else None
        if state.__class__ is not CallState or not state.released:
            return None

        def work() -> None:
            ended, details = result(http_response, parsed)
            if "bedrock" in getattr(getattr(model, "service_model", None), "service_name", "bedrock"):
                used = tokens(http_response, parsed)
                if used is not None:
                    details["tokens"] = used
            self._settle(state, ended, details)

        return _afterwards(work, sys._getframe(1))

    def after_error(self, exception: Any = None, context: Any = None, **_: Any) -> Any:
        """`after-call-error`: no answer. Unless it was never signed, nobody knows what the service did."""
        state = context.get(self._key) if isinstance(context, dict) else None
        if state.__class__ is not CallState or not state.released:
            return None
        name = type(exception).__name__
        changed = isinstance(exception, GuardError) and state.attempts <= 1
        unsent = changed or not state.attempts or name in _NEVER_SENT
        ended = CallResult.FAILED if unsent else CallResult.UNCLEAR
        return _afterwards(lambda: self._settle(state, ended, {"error": name}), sys._getframe(1))

    # -- steps ---------------------------------------------------------------------------------------------------

    def _judge(self, state: CallState, model: Any, region: Any, url: Any, signed_for: Any) -> None:
        """Judge where the call is known to go. Raises the refusal."""
        service, operation = model.service_model.service_name, model.name
        url = url if isinstance(url, str) else None
        state.fingerprint = fingerprint(state.parameters)
        state.regions = state.regions | regions_of(region, url, signed_for)
        resolver = self.resolver_for(state.client)
        earlier = state.regions

        def observed() -> Observation:
            if state.parameters is None:
                return unreadable(service, operation, region, "the call was under way when the hook was put in")
            return observe(
                service,
                operation,
                state.parameters,
                region=region if isinstance(region, str) else None,
                url=url,
                signing_region=signed_for if isinstance(signed_for, str) else None,
                resolver=resolver,
                passing_on=sorted(earlier),
            )

        judgement = self.gate.judge(observed, self.origin)
        if judgement.refusal is not None:
            raise judgement.refusal
        state.judgement = judgement

    def _verify(self, state: CallState, model: Any, region: Any, url: Any, signed_for: Any) -> None:
        """Judge again where the parameters, or the places, are not those that were judged."""
        now = regions_of(region, url if isinstance(url, str) else None, signed_for)
        same = state.judgement is not None and now <= state.regions
        if not same or fingerprint(state.parameters) != state.fingerprint:
            self._judge(state, model, region, url, signed_for)

    def _release(self, state: CallState) -> None:
        if state.judgement is None:
            raise GuardError("a call reached the network without a judgement")
        self.gate.release(state.judgement)
        state.released = True

    def _unsent(self, state: CallState) -> None:
        """Interrupted on the way out: what was reserved is given back."""
        self._settle(state, CallResult.FAILED, {})

    def _settle(self, state: CallState, ended: CallResult, details: Mapping[str, Any]) -> None:
        judgement, state.released = state.judgement, False
        if judgement is not None:
            self.gate.settle(judgement, ended, details)


def _run(work: Callable[[], None], caller: Any, undo: Callable[[], None]) -> Any:
    """Do *work* now, or off the event loop where the emitter awaits its handlers. What fails refuses the call, and
    *undo* gives back what it reserved by then."""

    def guarded() -> None:
        try:
            work()
        except ExportguardError:
            raise
        except Exception as problem:
            if type(problem).__module__.partition(".")[0] in ("botocore", "boto3", "aiobotocore"):
                raise GuardError("the call could not be judged") from problem
            raise

    if caller.f_code.co_flags & _CO_COROUTINE:
        from exportguard.offloop import begin_off_loop

        return begin_off_loop(guarded, undo=undo)
    try:
        guarded()
    except BaseException:
        undo()
        raise
    return None


def _afterwards(work: Callable[[], None], caller: Any) -> Any:
    """As `_run`, for a call that was made: raising would lose its result for the caller."""

    def told() -> None:
        with contextlib.suppress(Exception):
            work()

    if caller.f_code.co_flags & _CO_COROUTINE:
        from exportguard.offloop import off_loop

        return off_loop(told)
    told()
    return None
