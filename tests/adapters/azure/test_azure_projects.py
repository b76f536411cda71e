"""The clients of Foundry projects and agents: what runs a model is refused before its token, the rest passes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from adapters.azure.azure_live import Cloud, Credential, guard
from exportguard import Guard, ProvisioningDenied, ProvisioningHeld, ProvisioningRefused

projects = pytest.importorskip("azure.ai.projects")
agents = pytest.importorskip("azure.ai.agents")
httpx = pytest.importorskip("httpx2")

ENDPOINT = "https://acct.services.ai.azure.com/api/projects/p"
KNOWN = {"prod": {"model": "gpt-4o", "location": "swedencentral"}}
PROMPT = {"kind": "prompt", "model": "prod", "instructions": "x"}
TO_AGENT = {"agent_reference": {"name": "a", "type": "agent_reference"}}


@pytest.fixture
def made() -> Iterator[Guard]:
    with guard(resolver={"azure": KNOWN, "openai": KNOWN}) as one:
        one.install()
        yield one
        one.uninstall()


class Project:
    """The clients of one project, and what they sent and asked for."""

    def __init__(self) -> None:
        self.cloud, self.credential, self.http = Cloud(), Credential(), []
        self.client = projects.AIProjectClient(
            ENDPOINT, self.credential, transport=self.cloud.transport(), allow_preview=True
        )
        self.agents = agents.AgentsClient(ENDPOINT, self.credential, transport=self.cloud.transport())

    def openai(self, **more: Any) -> Any:
        def answer(request: Any) -> Any:
            self.http.append(str(request.url))
            return httpx.Response(200, json={"id": "r", "object": "response", "output": [], "model": "m"})

        return self.client.get_openai_client(
            http_client=httpx.Client(transport=httpx.MockTransport(answer)), max_retries=0, **more
        )

    @property
    def seen(self) -> tuple[Any, Any, int]:
        return self.cloud.sent, self.http, self.credential.asked


DENIED: dict[str, Callable[[Project], Any]] = {
    "a version of an agent": lambda p: p.client.agents.create_version("a", definition=PROMPT),
    "an agent of the first service": lambda p: p.agents.create_agent(model="prod", name="a"),
    "another model for it": lambda p: p.agents.update_agent("a", model="prod"),
    "a memory store": lambda p: p.client.beta.memory_stores.create(
        name="m", definition={"kind": "default", "chat_model": "prod", "embedding_model": "prod"}
    ),
    "responses": lambda p: p.openai().responses.create(model="prod", input="x"),
    "chat": lambda p: p.openai().chat.completions.create(model="prod", messages=[], max_tokens=5),
}
HELD: dict[str, Callable[[Project], Any]] = {
    "a run": lambda p: p.agents.runs.create("t", agent_id="a"),
    "a thread and its run": lambda p: p.agents.create_thread_and_run(agent_id="a"),
    "an agent by reference": lambda p: p.openai().responses.create(input="x", extra_body=TO_AGENT),
    "a model beside an agent": lambda p: p.openai().responses.create(model="prod", input="x", extra_body=TO_AGENT),
    "an agent by its endpoint": lambda p: p.openai(agent_name="a").responses.create(model="prod", input="x"),
    "an agent written by a model": lambda p: p.client.beta.agents.create_from_prompt({"prompt": "x"}),
    "an agent from a manifest": lambda p: p.client.agents.create_version_from_manifest(
        "a", manifest_id="m", parameter_values={}
    ),
    "a session": lambda p: p.client.agents.create_session("a", version_indicator={"type": "latest"}),
    "an optimisation": lambda p: p.client.agents.begin_create_optimization_job({"inputs": {}}),
    "data": lambda p: p.client.datasets.begin_create_generation_job({"inputs": {}}),
    "insights": lambda p: p.client.beta.insights.generate({"request": {}}),
    "a search of memories": lambda p: p.client.beta.memory_stores.search_memories("m", scope="s", items="x"),
    "a red team": lambda p: p.client.beta.red_teams.create({"target": {"type": "AzureOpenAIModel"}}),
    "a schedule": lambda p: p.client.beta.schedules.create_or_update("s", {"task": {"type": "Evaluation"}}),
    "a rule that evaluates": lambda p: p.client.evaluation_rules.create_or_update("r", {"action": {}}),
    "a routine": lambda p: p.client.beta.routines.create_or_update("r", action={}, triggers={}),
    "a call by telephone": lambda p: p.client.beta.voice_agents.telephony.create_call_job(
        "a", {"to": "x"}, idempotency_key="k"
    ),
}
EVERYDAY: dict[str, Callable[[Project], Any]] = {
    "connections": lambda p: list(p.client.connections.list()),
    "deployments": lambda p: list(p.client.deployments.list()),
    "a data set": lambda p: p.client.datasets.create_or_update("d", "1", {"type": "uri_file", "dataUri": "https://x"}),
    "an upload": lambda p: p.client.datasets.pending_upload("d", "1", {"pendingUploadType": "BlobReference"}),
    "an index": lambda p: p.client.indexes.create_or_update("i", "1", {"type": "AzureSearch", "indexName": "x"}),
    "an evaluator": lambda p: p.client.evaluators.create_version("e", {"definition": {"type": "code"}}),
    "a thread": lambda p: p.agents.threads.create(),
    "a message": lambda p: p.agents.messages.create("t", role="user", content="x"),
    "a run that is cancelled": lambda p: p.agents.runs.cancel("t", "r"),
    "a vector store": lambda p: p.agents.vector_stores.create(name="v"),
    "memories that are listed": lambda p: list(p.client.beta.memory_stores.list_memories("m", scope="s")),
    "an agent that is switched off": lambda p: p.client.agents.disable("a"),
    "a conversation": lambda p: p.openai().conversations.create(),
}


@pytest.mark.parametrize("call", DENIED.values(), ids=DENIED)
def test_a_model_that_is_known_is_denied_before_its_token(made: Guard, call: Callable[[Project], Any]) -> None:
    """No connection, no token; the same call of somebody else goes out."""
    project = Project()
    with made.acting_for("d5"), pytest.raises(ProvisioningDenied):
        call(project)
    assert project.seen == ([], [], 0)
    with made.acting_for("plain"):
        call(project)
    assert len(project.cloud.sent) + len(project.http) == 1


@pytest.mark.parametrize("call", HELD.values(), ids=HELD)
def test_a_model_that_is_not_told_is_held(made: Guard, call: Callable[[Project], Any]) -> None:
    """An agent's model is its own, whatever model stands beside it."""
    project = Project()
    for customer, refusal in (("d5", ProvisioningRefused), ("plain", ProvisioningHeld)):
        with made.acting_for(customer), pytest.raises(refusal):
            call(project)
    assert project.seen == ([], [], 0)


@pytest.mark.parametrize("call", EVERYDAY.values(), ids=EVERYDAY)
def test_what_runs_no_model_passes(made: Guard, call: Callable[[Project], Any]) -> None:
    """For anybody; the answer of this cloud is none, so the client may not like it."""
    project = Project()
    with made.acting_for("d5"), contextlib.suppress(HttpResponseError):
        call(project)
    assert len(project.cloud.sent) + len(project.http) >= 1


def test_telemetry_reads_its_connection(made: Guard) -> None:
    """It finds none here, and is not asked about."""
    project = Project()
    with made.acting_for("d5"), pytest.raises(Exception, match="Application Insights"):
        project.client.telemetry.get_application_insights_connection_string()
    assert [method for method, _ in project.cloud.sent] == ["GET"]
