"""One session for each distinct transport: opened once, never closed under a request, never kept for ever."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from dispatcher.model.integration import Transport
from tests.hosts import ProductHost, Reply
from tests.tls_parts import issue, server_context, tls_host, tunnel_proxy
from tests.waiting import until
from tests.worker.egress_parts import COMPANY, Opened, egress, plain, route, status_over
from worker.http.aiohttp_inside.session import Session
from worker.http.tls import TransportUnusable
from worker.http.transport import route_of
from worker.http.transport_sessions import TransportSessions

__all__ = ["plain"]


async def test_without_a_transport_everything_goes_over_the_one_plain_session(
    plain: Session, product_host: ProductHost
) -> None:
    opened = Opened(egress())
    async with TransportSessions(plain, opened) as sessions:
        assert (await sessions.post(None, product_host.url(), b"{}", {})).status == 200
    assert (opened.sessions, route_of(Transport())) == ([], None)


async def test_requests_that_start_together_open_one_session(plain: Session) -> None:
    opened = Opened(egress())
    same = Transport(ca_certificates=COMPANY.pem)

    async def use() -> Session:
        async with sessions.session(route(same)) as session:
            return session

    async with TransportSessions(plain, opened) as sessions:
        used = await asyncio.gather(*(use() for _ in range(20)))
        assert len(opened.sessions) == len(set(map(id, used))) == 1
        async with sessions.session(route(Transport(ca_certificates=issue("Other CA").pem))) as other:
            assert other is not used[0]
    assert all(session.closed for session in opened.sessions)
    assert not plain.closed


async def test_sessions_beyond_the_capacity_close_but_never_under_a_request(
    plain: Session, product_host: ProductHost
) -> None:
    product_host.default = Reply(delay_s=0.3)
    opened = Opened(egress())
    async with TransportSessions(plain, opened, capacity=1) as sessions, tunnel_proxy() as proxy:
        slow = route(Transport(proxy_url=proxy.url))
        running = asyncio.create_task(status_over(sessions, slow, product_host.url()))
        await product_host.wait_for(1)
        for name in ("a", "b", "c"):
            async with sessions.session(route(Transport(proxy_url=proxy.url, proxy_username=name))):
                pass
        assert not opened.sessions[0].closed
        assert await running == 200
        await until(lambda: sum(session.closed for session in opened.sessions) >= 3)
        assert sessions.open_count == 1
        assert len(opened.sessions) == 4


async def test_session_that_nobody_uses_is_closed_after_a_while(plain: Session) -> None:
    opened = Opened(egress())
    async with TransportSessions(plain, opened, idle_s=0.05) as sessions:
        async with sessions.session(route(Transport(ca_certificates=COMPANY.pem))):
            await asyncio.sleep(0.15)
            assert not opened.sessions[0].closed
        await until(lambda: opened.sessions[0].closed)
        assert sessions.open_count == 0


async def test_transport_that_failed_is_tried_again_by_the_next(plain: Session) -> None:
    broken = route(Transport(ca_certificates="no certificate"))
    async with TransportSessions(plain, egress().session) as sessions:
        for _ in range(2):
            with pytest.raises(TransportUnusable, match="save them again"):
                await status_over(sessions, broken, "http://127.0.0.1:1/")
            assert sessions.open_count == 0


async def test_request_that_is_given_up_leaves_the_session_to_the_others(plain: Session) -> None:
    opened = Opened(egress())
    async with TransportSessions(plain, opened) as sessions:
        first = asyncio.create_task(
            status_over(sessions, route(Transport(ca_certificates=COMPANY.pem)), "http://a.test/")
        )
        await asyncio.sleep(0)
        first.cancel()
        async with sessions.session(route(Transport(ca_certificates=COMPANY.pem))) as session:
            assert not session.closed
        assert len(opened.sessions) == 1


def test_equal_transports_have_one_name_and_it_tells_nothing() -> None:
    own = issue("shop", COMPANY)
    one = Transport(own.pem, own.key_pem)
    assert route(one) == route(Transport(own.pem, own.key_pem))
    others = [Transport(own.pem, issue("x").key_pem), Transport(own.pem, own.key_pem, COMPANY.pem)]
    assert len({route(one).name, *(route(other).name for other in others)}) == 3
    assert "PRIVATE" not in repr(route(one))


async def test_pooled_connections_of_two_certificates_stay_apart(plain: Session, tmp_path: Path) -> None:
    clients = issue("Client CA")
    async with (
        tls_host(server_context(tmp_path, issue("host", COMPANY), clients)) as host,
        TransportSessions(plain, egress().session) as sessions,
    ):
        shown = [issue(name, clients) for name in ("one", "two")]
        routes = [route(Transport(one.pem, one.key_pem, COMPANY.pem)) for one in shown]
        for turn in range(6):
            assert await status_over(sessions, routes[turn % 2], host.url()) == 200
        assert [one.client for one in host.seen] == ["one", "two"] * 3
        assert len({one.peer for one in host.seen}) == 2
