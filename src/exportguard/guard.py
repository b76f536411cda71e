"""The guard: loading, for whom, asking without doing, where calls are judged. What becomes of a call is in `gate`."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar, cast

from exportguard import judging, stores
from exportguard.draft import Mode, State
from exportguard.errors import ConfigurationError
from exportguard.forks import Lock
from exportguard.gate import CallGate, utc_now
from exportguard.judging import load_state
from exportguard.metering import Invoke
from exportguard.stores import DEFAULT, KEEP
from exportguard.telemetry import Telemetry
from exportguard.vocabulary import Decision, NotApplicable, ProvisioningRequest, SdkCall

if TYPE_CHECKING:
    from exportguard.authority import Ledger
    from exportguard.record import DecisionLog

P = ParamSpec("P")
R = TypeVar("R")
logger = logging.getLogger("exportguard")

Checkable = ProvisioningRequest | SdkCall | NotApplicable | Mapping[str, Any]


class Guard(CallGate):
    """Judges provisioning calls of this process. Build one with `Guard.load`; it is safe under threads and asyncio.

    A guard also is the `Gate` that the adapters call: `judge`, `release`, `settle`.
    """

    def __init__(
        self,
        state: State,
        *,
        log: DecisionLog | None,
        ledger: Ledger | None,
        mode: Mode = "enforce",
        clock: Callable[[], datetime] | None = None,
        resolver: Any = None,
        sources: Mapping[str, Any] | None = None,
        invoke: Invoke = "each",
        telemetry: Telemetry | None = None,
    ) -> None:
        super().__init__(state, log=log, ledger=ledger, mode=mode, clock=clock, invoke=invoke, telemetry=telemetry)
        self._sources = dict(sources) if sources is not None else {}
        self._resolver = resolver
        self._hooks: dict[str, Any] = {}
        self._hooks_lock = Lock()

    @classmethod
    def load(
        cls,
        policies: Any = None,
        *,
        packs: Iterable[str] | None = None,
        customers: Any = None,
        authorizations: Any = None,
        lists: Any = DEFAULT,
        record: Any = DEFAULT,
        ledger: Any = DEFAULT,
        resolver: Any = None,
        mode: Mode = "enforce",
        clock: Callable[[], datetime] | None = None,
        max_list_age: timedelta | int | None = None,
        invoke: Invoke = "each",
        telemetry: bool | Telemetry = False,
    ) -> Guard:
        """Load policies and whatever they need, and prove the stores writable. All or nothing.

        Args:
            policies: a folder, a file, or ready `PolicySource`s; None: the shipped packs.
            packs: names of shipped packs to use (alone, or added to *policies*).
            customers: a customers document (path, URL, mapping), a `CustomerDirectory`, or None.
            authorizations: an authorizations document (path, mapping, list), or None.
            lists: a restricted-party list (path), a folder of refreshed ones, a screener, or None to screen nothing
                (names are then unknown). Default: the lists of this machine, the shipped one among them.
            record: where decisions are kept: a path, a database URL, a `DecisionLog`; None keeps none.
            ledger: where use is counted: the same; None counts none (a rule over `usage` is then open).
            resolver: `"auto"` looks up what a call only names, read-only; None looks up nothing; or resolvers by
                adapter (`{"aws": ..., "azure": ..., "openai": ...}`).
            mode: `enforce` refuses; `warn` and `audit` only tell and record.
            clock: gives the instant of a decision, timezone-aware. Default: now.
            max_list_age: (days) a list older than this proves no name clear: what depends on it is unknown. Default
                30; a warning is logged when the list is too old already.
            invoke: how calls of models are recorded: `each` by itself, or `aggregate`: the first of its kind in an
                hour durably before it leaves, the others counted, and their tokens leased from the ledger in blocks.
            telemetry: True tells the global providers of OpenTelemetry, a `Telemetry` its own.

        Raises:
            PolicyError: with every problem in the policies.
            DocumentError, ConfigurationError: what else cannot be read, with place and remedy.
            RecordError, LedgerError: a store that cannot be written.
        """
        if mode not in ("enforce", "warn", "audit"):
            raise ConfigurationError(f"`{mode}` is no mode", remedy="Use enforce, warn or audit.")
        if invoke not in ("each", "aggregate"):
            raise ConfigurationError(f"`{invoke}` is no way to record calls of models", remedy="Use each or aggregate.")
        told = Telemetry() if telemetry is True else telemetry or None
        sources = {
            "policies": policies,
            "packs": None if packs is None else tuple(packs),
            "customers": customers,
            "authorizations": authorizations,
            "lists": "default" if lists is DEFAULT else lists,
            "max_list_age": max_list_age,
        }
        state = load_state(**sources)
        _warn_of_old_list(state, clock or utc_now)
        log = stores.open_log(record)
        try:
            book = stores.open_ledger(ledger)
        except BaseException:
            if log is not None:
                log.close()
            raise
        return cls(
            state, log=log, ledger=book, mode=mode, clock=clock, resolver=resolver, sources=sources, invoke=invoke,
            telemetry=told,
        )  # fmt: skip

    def reload(
        self,
        policies: Any = KEEP,
        *,
        packs: Iterable[str] | Any | None = KEEP,
        customers: Any = KEEP,
        authorizations: Any = KEEP,
        lists: Any = KEEP,
        max_list_age: timedelta | int | Any | None = KEEP,
    ) -> None:
        """Read everything again from where `load` read it, or from what is given here instead, at once.

        What is not given stays as it was: a reload never falls back from a company's own policies to the shipped
        ones. Judgements under way finish by the old state.

        Raises:
            PolicyError, DocumentError, ConfigurationError: as `load`; the old state then stays whole.
        """
        given = {
            "policies": policies,
            "packs": packs if packs is KEEP or packs is None else tuple(packs),
            "customers": customers,
            "authorizations": authorizations,
            "lists": "default" if lists is DEFAULT else lists,
            "max_list_age": max_list_age,
        }
        sources = {**self._sources, **{name: value for name, value in given.items() if value is not KEEP}}
        missing = sorted(set(given) - set(sources))
        if missing:
            raise ConfigurationError(
                f"this guard was not made by Guard.load: it cannot tell what its {missing[0]} were read from",
                remedy="Give all of them.",
            )
        state = load_state(**sources)
        _warn_of_old_list(state, self._clock)
        self._state, self._sources = state, sources

    # -- for whom ---------------------------------------------------------------------------------------------

    @contextmanager
    def acting_for(self, *customers: str) -> Iterator[None]:
        """Within it, calls are made for *customers*. asyncio tasks inherit it; pool threads do not (see `bind`).

        Raises:
            UnknownCustomerError: the directory has no such customer.
        """
        for customer in customers:
            self._require(customer)
        if not customers:
            raise ConfigurationError("acting_for() names nobody", remedy="Give a customer id.")
        token = self._acting.set(customers)
        try:
            yield
        finally:
            self._acting.reset(token)

    def bind(self, function: Callable[P, R]) -> Callable[P, R]:
        """*function*, acting for whom this context acts for now, in whatever thread or task it runs."""
        customers = self._acting.get()

        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def bound_async(*args: P.args, **kwargs: P.kwargs) -> Any:
                token = self._acting.set(customers)
                try:
                    return await cast("Any", function)(*args, **kwargs)
                finally:
                    self._acting.reset(token)

            return cast("Callable[P, R]", bound_async)

        @functools.wraps(function)
        def bound(*args: P.args, **kwargs: P.kwargs) -> R:
            token = self._acting.set(customers)
            try:
                return function(*args, **kwargs)
            finally:
                self._acting.reset(token)

        return bound

    def _require(self, customer: str) -> None:
        judging.require_customer(self._state, customer)

    # -- asking without doing ---------------------------------------------------------------------------------

    def check(self, request: Checkable, *, as_of: datetime | None = None, customer: str | None = None) -> Decision:
        """Decide *request* (a request or call document, as object or mapping); nothing reserved, nothing sent.

        Raises:
            DocumentError: a mapping that is neither.
            UnknownCustomerError: it names a customer that the directory does not have.
            NaiveInstantError: *as_of* has no timezone.
        """
        state = self._state
        observation, named = judging.observe(request, self._resolver)
        customers = tuple(dict.fromkeys(c for c in (*self._acting.get(), customer, named) if c is not None))
        for each in customers:
            judging.require_customer(state, each)
        decision = judging.decide_observation(state, observation, customers, self._instant(as_of), self._ledger)
        return decision if decision.allowed else judging.presentable(decision)

    # -- where calls are made ---------------------------------------------------------------------------------

    def attach(self, target: Any, *, customer: str | None = None) -> Any:
        """Judge the calls of *target* (a boto3 client, session or resource, an Azure, openai or anthropic client).

        Raises:
            UnknownCustomerError: the directory has no *customer*.
            ConfigurationError: *target* is nothing that can be attached to.
        """
        if customer is not None:
            self._require(customer)
        for name in _ADAPTERS:
            hook = self._hook(name, of=target)
            if hook is not None:
                hook.attach(target, customer=customer)
                return target
        raise ConfigurationError(
            f"cannot attach to a {type(target).__module__}.{type(target).__qualname__}",
            remedy="Give a boto3 client, session or resource, or an Azure SDK, openai or anthropic client.",
        )

    def install(self) -> Guard:
        """Judge every boto3, Azure, openai and anthropic client of this process, living and later. Twice is once."""
        for name in _ADAPTERS:
            hook = self._hook(name)
            if hook is not None:
                hook.install()
        return self

    def uninstall(self) -> None:
        """Leave the SDKs as they were before `install`."""
        with self._hooks_lock:
            hooks = list(self._hooks.values())
        for hook in hooks:
            hook.uninstall()

    def azure_policy(self, *, customer: str | None = None) -> Any:
        """A policy for `per_call_policies=[...]` of one Azure client. Make a fresh one for each client."""
        if customer is not None:
            self._require(customer)
        hook = self._hook("azure")
        if hook is None:
            raise ConfigurationError("azure-core is not installed", remedy="pip install 'exportguard[azure]'")
        return hook.policy(customer=customer)

    def _hook(self, name: str, of: Any = None) -> Any:
        """The hook of an adapter, made when first needed; None where its SDK is absent or *of* is not its own."""
        module, attribute, sdks = _ADAPTERS[name]
        if of is not None and not any(cls.__module__.split(".")[0] in sdks for cls in type(of).__mro__):
            return None
        with self._hooks_lock:
            if name not in self._hooks:
                if not judging.is_installed(sdks):
                    return None
                adapter = judging.import_attribute(module, attribute)
                chosen = self._resolver.get(name) if isinstance(self._resolver, Mapping) else self._resolver
                self._hooks[name] = adapter(self, resolver=chosen)
            hook = self._hooks[name]
        return hook if of is None or hook.accepts(of) else None

    def close(self) -> None:
        """Uninstall and close the stores."""
        self.uninstall()
        self.flush()
        for store in (self._log, self._ledger):
            if store is not None:
                store.close()

    def __enter__(self) -> Guard:
        return self

    def __exit__(self, *exc: object) -> Literal[False]:
        self.close()
        return False


_ADAPTERS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "aws": ("exportguard.adapters.aws.hook", "AwsHook", ("boto3", "botocore", "aiobotocore", "aioboto3")),
    "azure": ("exportguard.adapters.azure.hook", "AzureHook", ("azure",)),
    "openai": ("exportguard.adapters.openai.hook", "OpenAIHook", ("openai",)),
    "anthropic": ("exportguard.adapters.aws.anthropic_sdk.hook", "AnthropicHook", ("anthropic",)),
}


def _warn_of_old_list(state: State, clock: Callable[[], datetime]) -> None:
    from exportguard.parties.screening import old_list

    try:
        old = old_list(state.screener, clock())
    except Exception:  # noqa: BLE001  (a clock that fails holds every call; that is told when one is judged)
        return
    if old is not None:
        logger.warning("%s", old)
