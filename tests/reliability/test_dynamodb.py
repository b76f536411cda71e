"""The ledger in DynamoDB under threads and processes, against moto's server, and where the table pushes back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("moto", reason="DynamoDB: moto is not installed")
pytest.importorskip("flask", reason="DynamoDB: moto's server is not installed")

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from exportguard.authority import AuthorizationDraw, Ledger, LimitReachedError, UsageDraw, UsageMovedError, open_ledger
from exportguard.errors import LedgerError
from exportguard.vocabulary import UsageQuestion
from reliability.processes import lines, start, tell
from reliability.writers import AT

YEAR = (UsageQuestion("customer", "P1Y"), "c")


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    # One request at a time: a transaction of moto's is not atomic among its own threads, as DynamoDB's is.
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=False)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"dynamodb://ledger{server.port}?region=us-east-1&endpoint=http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_processes_get_exactly_what_there_is(place: str) -> None:
    """Three processes, none of which finds the table, ask twenty-four times for twelve: exactly twelve are granted, and
    under the same keys nothing is counted twice."""
    running = [start("reserve_twice", place, f"p{n}", "8", "12") for n in range(3)]
    for each in running:
        assert list(lines(each, "ready")) == []
    for expected in ({"granted": 12, "refused": 12}, {"replayed": 12, "refused": 12}):
        for each in running:
            tell(each)
        said = [word for each in running for word in lines(each, "done")]
        assert {word: said.count(word) for word in set(said)} == expected
    for each in running:
        assert each.communicate(timeout=60)[1] == b""
    ledger = open_ledger(place)
    assert ledger.drawn("licence", "accelerators") == 12
    assert ledger.read([YEAR], AT)[YEAR].accelerators == 12
    assert len(ledger.pending()) == 12
    ledger.close()


def test_threads_that_decide_on_a_reading_never_pass_a_limit(place: str) -> None:
    ledger = open_ledger(place)

    def order(number: int) -> bool:
        while True:
            seen = ledger.read([YEAR], AT)
            tokens = seen[YEAR].tokens
            assert isinstance(tokens, int)
            if tokens + 1 > 10:
                return False
            try:
                ledger.reserve(f"k{number}", [UsageDraw("customer", "c", tokens=1)], as_of=AT, conditional_on=seen)
            except UsageMovedError:
                continue
            return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(order, range(16))) == 10
    assert ledger.read([YEAR], AT)[YEAR].tokens == 10
    ledger.close()


def test_one_key_by_many_threads_is_one_reservation(place: str) -> None:
    ledger = open_ledger(place)
    draw = [AuthorizationDraw("licence", "accelerators", 1, 1)]

    def reserve(_: int) -> bool:
        return ledger.reserve("k", [UsageDraw("customer", "c", tokens=7)], draw, as_of=AT).replayed

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(reserve, range(6))) == [False, *[True] * 5]
    assert ledger.read([YEAR], AT)[YEAR].tokens == 7
    ledger.close()


class Between:
    """A server of one's own between a ledger's client and the network: it answers first as it is told to."""

    def __init__(self, ledger: Any, answers: list[tuple[int, str] | None]) -> None:
        self.answers, self.asked = answers, 0
        ledger._table._client.meta.events.register("before-send.dynamodb.TransactWriteItems", self)

    def __call__(self, request: Any, **_: Any) -> Any:
        from botocore.awsrequest import AWSResponse

        self.asked += 1
        answer = self.answers.pop(0) if self.answers else None
        if answer is None:
            return None
        status, body = answer
        response = AWSResponse(request.url, status, {"content-type": "application/x-amz-json-1.0"}, None)
        response._content = body.encode()
        return response


PREFIX = '{"__type": "com.amazonaws.dynamodb.v20120810#'
CONFLICT = (
    400,
    PREFIX + 'TransactionCanceledException", "message": "", "CancellationReasons": '
    '[{"Code": "TransactionConflict"}, {"Code": "None"}]}',
)
THROTTLED = (400, PREFIX + 'ProvisionedThroughputExceededException", "message": "slow down"}')
FAILED = (500, PREFIX + 'InternalServerError", "message": "?"}')


def use(ledger: Ledger, key: str = "k") -> Any:
    return ledger.reserve(
        key, [UsageDraw("customer", "c", tokens=7)], [AuthorizationDraw("l", "tokens", 7, 7)], as_of=AT
    )


@pytest.mark.parametrize("answer", [CONFLICT, THROTTLED, FAILED], ids=["conflict", "throttled", "failed"])
def test_a_table_that_pushes_back_is_asked_again_and_counts_once(place: str, answer: tuple[int, str]) -> None:
    ledger = open_ledger(place)
    between = Between(ledger, [answer])
    assert not use(ledger).replayed
    assert between.asked == 2
    with pytest.raises(LimitReachedError):
        use(ledger, "k2")
    assert ledger.read([YEAR], AT)[YEAR].tokens == 7
    ledger.close()


@pytest.mark.parametrize("answer", [CONFLICT, THROTTLED, FAILED], ids=["conflict", "throttled", "failed"])
def test_a_table_that_keeps_pushing_back_refuses(place: str, answer: tuple[int, str]) -> None:
    """With an error that names the table, and nothing reserved; afterwards the ledger goes on."""
    ledger = open_ledger(place)
    between = Between(ledger, [answer] * 100)
    with pytest.raises(LedgerError, match=urlsplit(place).netloc):
        use(ledger)
    between.answers.clear()
    assert ledger.get("k") is None
    assert not use(ledger).replayed
    ledger.close()


def test_an_answer_that_was_lost_is_a_reservation_all_the_same(place: str) -> None:
    """The transaction arrived, its answer did not: the SDK's own retry must not count it twice."""
    ledger = open_ledger(place)
    lost: list[bool] = []

    def lose(response: Any, **_: Any) -> Any:
        if not lost and response is not None and response[0].status_code == 200:
            lost.append(True)
            return 0
        return None

    ledger._table._client.meta.events.register("needs-retry.dynamodb.TransactWriteItems", lose)  # type: ignore[attr-defined]
    use(ledger)
    assert lost == [True]
    assert ledger.read([YEAR], AT)[YEAR].tokens == 7
    assert ledger.drawn("l", "tokens") == 7
    ledger.close()


def test_a_guard_that_is_installed_judges_the_calls_of_its_own_ledger_and_goes_on(place: str, tmp_path: Path) -> None:
    """The ledger's client is one of the SDK that the guard watches: its calls are outside the surface, and none waits
    for the guard that made it."""

    import boto3

    from exportguard import Guard, ProvisioningRefused

    customers = Path(__file__).resolve().parents[2] / "examples" / "company_policies" / "customers.yaml"
    guard = Guard.load(None, customers=customers, record=tmp_path / "log", ledger=place, lists=None)
    guard.install()
    try:
        again = open_ledger(place)
        assert not use(again).replayed
        again.close()
        ec2 = boto3.client("ec2", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        with pytest.raises(ProvisioningRefused):
            ec2.run_instances(ImageId="ami-1", InstanceType="p5.48xlarge", MinCount=1, MaxCount=1)
    finally:
        guard.close()
