"""The orchestrator: facts -> parties -> usage -> decide -> reserve -> record -> release. The only place that knows
the whole order."""

from __future__ import annotations

import functools
import inspect
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar, cast

from exportguard import judging, securing, stores
from exportguard.errors import ConfigurationError, NaiveInstantError
from exportguard.judging import Draft, Mode, State, load_state
from exportguard.stores import DEFAULT, KEEP
from exportguard.vocabulary import (
    AzureCall,
    Boto3Call,
    CallOrigin,
    CallResult,
    Decision,
    Judgement,
    NotApplicable,
    Observation,
    OpenAICall,
    ProvisioningRequest,
)

if TYPE_CHECKING:
    from exportguard.authority import Ledger
    from exportguard.record import DecisionLog

P = ParamSpec("P")
R = TypeVar("R")
logger = logging.getLogger("exportguard")

Checkable = ProvisioningRequest | Boto3Call | AzureCall | OpenAICall | NotApplicable | Mapping[str, Any]


class Guard:
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
    ) -> None:
        self._state = state
        self._sources = dict(sources) if sources is not None else {}
        self._log = log
        self._ledger = ledger
        self._mode: Mode = mode
        self._clock = clock or (lambda: datetime.now(UTC))
        self._resolver = resolver
        self._acting: ContextVar[tuple[str, ...]] = ContextVar("exportguard_acting_for", default=())
        self._hooks: dict[str, Any] = {}
        self._hooks_lock = threading.RLock()

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

        Raises:
            PolicyError: with every problem in the policies.
            DocumentError, ConfigurationError: what else cannot be read, with place and remedy.
            RecordError, LedgerError: a store that cannot be written.
        """
        if mode not in ("enforce", "warn", "audit"):
            raise ConfigurationError(f"`{mode}` is no mode", remedy="Use enforce, warn or audit.")
        sources = {
            "policies": policies,
            "packs": None if packs is None else tuple(packs),
            "customers": customers,
            "authorizations": authorizations,
            "lists": "default" if lists is DEFAULT else lists,
            "max_list_age": max_list_age,
        }
        state = load_state(**sources)
        _warn_of_old_list(state, clock or _utc_now)
        log = stores.open_log(record)
        try:
            book = stores.open_ledger(ledger)
        except BaseException:
            if log is not None:
                log.close()
            raise
        return cls(state, log=log, ledger=book, mode=mode, clock=clock, resolver=resolver, sources=sources)

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
        return judging.decide_observation(state, observation, customers, self._instant(as_of), self._ledger)

    def _instant(self, as_of: datetime | None = None) -> datetime:
        instant = as_of if as_of is not None else self._clock()
        if instant.tzinfo is None or instant.utcoffset() is None:
            raise NaiveInstantError("the instant of a decision needs a timezone")
        return instant

    # -- the gate that adapters call --------------------------------------------------------------------------

    def judge(self, observe: Callable[[], Observation], origin: CallOrigin) -> Judgement:
        """See `exportguard.vocabulary.Gate.judge`."""
        state = self._state
        draft = Draft(origin, self._mode, state)
        try:
            as_of = self._instant()
            observation = judging.observed(observe)
            if isinstance(observation, NotApplicable):
                decision = judging.decide_observation(state, observation, (), as_of, None)
                return Judgement(decision, None, draft)
            customers = self._acting.get()
            if origin.customer is not None:
                customers = (*customers, origin.customer)
            decision = judging.decide_observation(state, observation, customers, as_of, self._ledger, draft)
        except Exception as error:
            logger.exception("exportguard failed while judging a call; it is held")
            decision = judging.failed(state, error, _utc_now())
        decision = decision.model_copy(update={"decision_id": draft.id})
        draft.decision = decision
        if decision.allowed:
            return Judgement(decision, None, draft)
        return Judgement(decision, self._refuse(draft), draft)

    def _refuse(self, draft: Draft) -> Exception | None:
        """Record a refusal and give the exception to raise; None where this mode refuses nothing."""
        refusal = judging.refusal(draft.decision)
        state = draft.state or self._state
        try:
            securing.record(self._log, state, draft)
        except Exception as error:  # noqa: BLE001  (the refusal itself is what has to be raised)
            if self._mode == "enforce":
                refusal.add_note(f"this refusal could not be recorded: {error}")
            else:
                logger.error("a decision could not be recorded: %s", error)
        if self._mode == "enforce":
            return refusal
        level = logging.WARNING if self._mode == "warn" else logging.INFO
        logger.log(level, "would be refused (%s mode): %s", self._mode, refusal)
        draft.recorded = True
        try:
            securing.count_anyway(self._ledger, state, draft)
        except Exception as error:  # noqa: BLE001  (nothing refuses in this mode)
            logger.error("the use of a call could not be counted (%s mode): %s", self._mode, error)
        return None

    def release(self, judgement: Judgement) -> None:
        """See `exportguard.vocabulary.Gate.release`. Raises LedgerError or RecordError: the call must not leave."""
        draft = judgement.token
        if judgement.refusal is not None:
            raise judgement.refusal
        if not isinstance(draft, Draft) or draft.decision is None or draft.recorded:
            return
        try:
            draft.decision = securing.secure(self._log, self._ledger, draft.state or self._state, draft)
        except Exception as error:
            if self._mode == "enforce":
                raise
            self._let_pass(draft, error)
        if not draft.decision.allowed:
            judgement.decision, judgement.refusal = draft.decision, self._refuse(draft)
            if judgement.refusal is not None:
                raise judgement.refusal

    def _let_pass(self, draft: Draft, error: Exception) -> None:
        """A call that goes out although it could not be secured (`warn`, `audit`): told, and recorded if it can be."""
        logger.error("a decision could not be secured (%s mode): %s", self._mode, error)
        if not draft.recorded:
            try:
                securing.record(self._log, draft.state or self._state, draft)
            except Exception as again:  # noqa: BLE001  (nothing refuses in this mode)
                logger.error("a decision could not be recorded (%s mode): %s", self._mode, again)

    def settle(self, judgement: Judgement, result: CallResult, details: Mapping[str, Any] | None = None) -> None:
        """See `exportguard.vocabulary.Gate.settle`."""
        try:
            if isinstance(judgement.token, Draft):
                securing.settle(self._ledger, judgement.token, result)
        except Exception:
            logger.exception("a reservation was kept: its result could not be noted")

    # -- where calls are made ---------------------------------------------------------------------------------

    def attach(self, target: Any, *, customer: str | None = None) -> Any:
        """Judge the calls of *target* (a client, session or resource of boto3, an Azure or openai client); return it.

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
            remedy="Give a boto3 client, session or resource, an Azure SDK client, or an openai client.",
        )

    def install(self) -> Guard:
        """Judge every boto3, Azure and openai client of this process, living and later ones. Twice is once."""
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
}


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _warn_of_old_list(state: State, clock: Callable[[], datetime]) -> None:
    from exportguard.parties.screening import old_list

    try:
        old = old_list(state.screener, clock())
    except Exception:  # noqa: BLE001  (a clock that fails holds every call; that is told when one is judged)
        return
    if old is not None:
        logger.warning("%s", old)
