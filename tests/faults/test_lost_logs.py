"""Logs on a full disk, or with nobody who reads them: lines are dropped, and the work goes on."""

from __future__ import annotations

import resource
import signal
from typing import Any

import orjson
import pytest

from tests.faults.client import Client, client_of
from tests.faults.deployment import Deployment, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

THEN_RUN = "; os.dup2(lost, 2); from dispatcher.cli.main import main; main()"
LOST = {
    "full": "import os; lost = os.open('/dev/full', os.O_WRONLY)" + THEN_RUN,
    "unread": "import os; unread, lost = os.pipe(); os.close(unread)" + THEN_RUN,
}
"""Programs whose standard error cannot be written."""

CREATE = """mutation Create($input: CreateProductIntegrationInput!) {
  createProductIntegration(input: $input) { signingSecret userErrors { message } } }"""


async def created(client: Client) -> dict[str, Any]:
    """The answer to a change of a definition, which is logged, and shows a secret this once."""
    urls = {f"{name}Url": "https://host.test/n" for name in ("create", "upgrade", "cancel", "notify")}
    wanted = {"name": "Logged", **urls, "outboundCredentials": {"type": "NONE"}}
    status, _, body = await client.post("/graphql", {"query": CREATE, "variables": {"input": wanted}})
    assert status == 200, body
    return dict(body["data"]["createProductIntegration"])


async def server_restarted(deployment: Deployment) -> None:
    """Every process has something to log."""
    deployment.server.kill()
    deployment.server.start()
    await eventually(deployment.queue.take_writes)


@pytest.mark.parametrize("lost", LOST)
async def test_processes_start_and_work_though_no_log_line_can_be_written(deployment: Deployment, lost: str) -> None:
    integration = await deployment.integration()
    worker = deployment.start("", {}, "worker", "--supervised", code=LOST[lost])
    async with client_of(deployment, integration, code=LOST[lost]) as client:
        made = await created(client)
        assert made["signingSecret"].startswith("whsec_"), made
        await deployment.all_succeed([await client.emitted("A", "before")])
        await server_restarted(deployment)
        await deployment.all_succeed([await client.emitted("A", "after")])
        assert (await created(client))["signingSecret"]
        for program in (worker, client.program):
            program.signal(signal.SIGTERM)
            assert await program.ended() == 0
    await deployment.assert_well()


async def test_lines_appear_again_with_the_count_of_those_that_were_dropped(deployment: Deployment) -> None:
    integration = await deployment.integration()
    worker = await deployment.worker()
    room_bytes = worker.log.stat().st_size + 10
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (room_bytes, resource.RLIM_INFINITY))
    async with client_of(deployment, integration) as client:
        await server_restarted(deployment)
        await deployment.all_succeed([await client.emitted("A", "unlogged")])
        assert worker.log.stat().st_size == room_bytes
        resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        worker.signal(signal.SIGTERM)
        assert await worker.ended() == 0
    records = worker.said().splitlines()
    told = next(at for at, line in enumerate(records) if "log lines dropped" in line)
    assert len(records[told - 1]) == 10, "the line that was cut"
    assert orjson.loads(records[told])["not_written"] >= 1
    assert orjson.loads(records[told + 1])["event"] == "worker stopping"
