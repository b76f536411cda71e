"""The enforcement point of azure-core: one client by a policy, one living client, or every client of the process."""

from __future__ import annotations

import asyncio
import sys
import weakref
from collections.abc import Mapping
from typing import Any, Literal

from azure.core.pipeline import AsyncPipeline, Pipeline, PipelineRequest, PipelineResponse
from azure.core.pipeline._base import _SansIOHTTPPolicyRunner, _TransportRunner
from azure.core.pipeline._base_async import _AsyncTransportRunner, _SansIOAsyncHTTPPolicyRunner
from azure.core.pipeline.policies import SansIOHTTPPolicy

from exportguard.adapters.azure import pipelines
from exportguard.adapters.azure.passage import Passage, exempt
from exportguard.adapters.azure.resolve import KnowsDeployments, Resolver, knows_deployments
from exportguard.adapters.azure.resolver import PipelineReader, Places
from exportguard.errors import ConfigurationError
from exportguard.forks import Lock
from exportguard.offloop import begin_off_loop, off_loop, running_loop
from exportguard.vocabulary.enforcement import Gate

_DEPTH = 4
"""How far below a client its pipelines are looked for: MLClient keeps service clients two attributes deep."""


class AzureHook:
    """Judges Azure calls through *gate*.

    Args:
        gate: the guard, as adapters see it.
        resolver: `"auto"` looks up what a call only names with the judged client's own credential; a mapping of
            deployment names to models, or an `ArmDeployments`, does so as well and knows deployments besides; a
            `Resolver` is asked instead; None leaves it unknown.
    """

    def __init__(
        self,
        gate: Gate,
        *,
        resolver: Literal["auto"] | Resolver | KnowsDeployments | Mapping[str, Any] | None = "auto",
    ) -> None:
        self.gate = gate
        # Whoever can read resources is asked alone; whoever knows deployments only, beside the client itself.
        self._asked: Resolver | None = resolver if hasattr(resolver, "read") else None  # type: ignore[assignment]
        self._deployments = knows_deployments(resolver)
        self._reads = resolver == "auto" or (self._asked is None and self._deployments is not None)
        self._policies: weakref.WeakSet[ExportguardPipelinePolicy] = weakref.WeakSet()
        self._lock = Lock()
        self._places = Places()

    def policy(self, customer: str | None = None) -> ExportguardPipelinePolicy:
        """A new policy for `per_call_policies=[...]` of one client, sync or async."""
        made = ExportguardPipelinePolicy(self, customer)
        self._policies.add(made)
        pipelines.watch()
        return made

    def install(self) -> None:
        """Every client of the process, those that exist already included. Twice is once."""
        pipelines.add(self)

    def uninstall(self) -> None:
        """Undo `install`: azure-core has its own functions back once no hook is installed."""
        pipelines.remove(self, watched=bool(self._policies))

    @staticmethod
    def accepts(target: object) -> bool:
        """Whether *target* is, or holds, an azure-core pipeline."""
        return bool(_pipelines_of(target))

    def attach(self, target: object, *, customer: str | None = None) -> None:
        """Guard one living client. Twice is once; the last *customer* counts.

        Raises:
            ConfigurationError: *target* has no azure-core pipeline.
        """
        found = _pipelines_of(target)
        if not found:
            raise ConfigurationError(
                f"a {type(target).__name__} has no azure-core pipeline",
                remedy="attach a client of an azure package, or use install()",
            )
        for pipeline in found:
            self._insert(pipeline, customer)

    def _insert(self, pipeline: Any, customer: str | None) -> None:
        with self._lock:
            for runner in pipeline._impl_policies:
                policy = getattr(runner, "_policy", None)
                if isinstance(policy, ExportguardPipelinePolicy) and policy.hook is self:
                    policy.customer = customer
                    return
            policy = self.policy(customer)
            if isinstance(pipeline, AsyncPipeline):
                first, end = _SansIOAsyncHTTPPolicyRunner(policy), _AsyncTransportRunner
            else:
                first, end = _SansIOHTTPPolicyRunner(policy), _TransportRunner
            before = pipeline._impl_policies
            first.next = before[0] if before else end(pipeline._transport)
            # A new list, in one assignment: a call under way keeps the old chain, and no list is shared.
            pipeline._impl_policies = [first, *before]

    def passage(
        self, customer: str | None, pipeline: Any, request: Any, loop: asyncio.AbstractEventLoop | None
    ) -> Passage:
        """The way of one call; the resolver reads through the call's own pipeline."""
        return Passage(self, self.gate, customer, self._reader(pipeline, request, loop))

    def _reader(self, pipeline: Any, request: Any, loop: asyncio.AbstractEventLoop | None) -> Resolver | None:
        if not self._reads:
            return self._asked
        if pipeline is None or (_runs_async(pipeline) and loop is None):
            return None
        url = str(request.url)
        if str(request.method).upper() == "PUT":
            self._places.forget(url.partition("?")[0].rstrip("/"))
        return PipelineReader(pipeline, url, loop if _runs_async(pipeline) else None, self._places, self._deployments)


class ExportguardPipelinePolicy(SansIOHTTPPolicy):  # type: ignore[misc]
    """Judges, releases and settles the calls of one client. Make a new one for each client: `AzureHook.policy()`."""

    def __init__(self, hook: AzureHook, customer: str | None) -> None:
        self.hook = hook
        self.customer = customer

    def on_request(self, request: PipelineRequest[Any]) -> Any:
        """Raises the refusal; in an async client it is awaited, and the judging is done on a worker thread."""
        if exempt(request.http_request):
            # A later policy may make something else of it: looked at again where it is sent.
            request.context[pipelines.EXEMPT] = (*request.context.get(pipelines.EXEMPT, ()), self)
            return None
        if any(passage.owner is self.hook for passage in request.context.get(pipelines.KEY, ())):
            return None
        loop = running_loop() if _is_async(request) else None
        passage = self.hook.passage(self.customer, _current_pipeline(), request.http_request, loop)
        request.context[pipelines.KEY] = (*request.context.get(pipelines.KEY, ()), passage)
        if _is_async(request):
            return begin_off_loop(passage.begin, request.http_request, undo=passage.end_with_error)
        passage.begin(request.http_request)
        return None

    def on_response(self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]) -> Any:
        passage = self._take(request)
        if passage is None:
            return None
        answer = response.http_response
        if _is_async(request):
            return off_loop(passage.end_with_status, answer.status_code, answer)
        passage.end_with_status(answer.status_code, answer)
        return None

    def on_exception(self, request: PipelineRequest[Any]) -> Any:
        passage = self._take(request)
        if passage is None:
            return None
        if _is_async(request):
            return off_loop(passage.end_with_error)
        passage.end_with_error()
        return None

    def _take(self, request: PipelineRequest[Any]) -> Passage | None:
        """This hook's passage, taken off the context: contexts are pickled into continuation tokens."""
        request.context.pop(pipelines.EXEMPT, None)
        passages: tuple[Passage, ...] = request.context.pop(pipelines.KEY, ())
        rest = tuple(passage for passage in passages if passage.owner is not self.hook)
        if rest:
            request.context[pipelines.KEY] = rest
        return next((passage for passage in passages if passage.owner is self.hook), None)


def _runs_async(pipeline: Any) -> bool:
    return isinstance(pipeline, AsyncPipeline) or hasattr(type(pipeline), "__aenter__")


def _is_async(request: PipelineRequest[Any]) -> bool:
    return hasattr(type(request.context.transport), "__aenter__")


def _current_pipeline() -> Any:
    """The pipeline that is running this call. A policy is not told; the frame that called it knows."""
    frame = sys._getframe(1)
    for _ in range(12):
        candidate = frame.f_locals.get("self")
        if isinstance(candidate, (Pipeline, AsyncPipeline)):
            return candidate
        if frame.f_back is None:
            return None
        frame = frame.f_back
    return None


def _pipelines_of(target: object) -> list[Any]:
    """The pipelines in *target* and in what it holds; attributes only, nothing is called."""
    found: dict[int, Any] = {}
    seen: set[int] = set()
    level: list[object] = [target]
    for _ in range(_DEPTH):
        following: list[object] = []
        for each in level:
            if id(each) in seen:
                continue
            seen.add(id(each))
            if isinstance(each, (Pipeline, AsyncPipeline)):
                found[id(each)] = each
            elif type(each).__module__.partition(".")[0] in ("azure", "msrest") or each is target:
                following += list(getattr(each, "__dict__", {}).values())
        level = following
    return list(found.values())
