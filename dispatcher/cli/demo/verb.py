"""``dispatcher demo``: everything on one machine, six events from the marketplace to the host, and what to try next."""

from __future__ import annotations

import asyncio
import shlex
import sys
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

if TYPE_CHECKING:
    from dispatcher.cli.demo.stage import Stage
    from dispatcher.sample_host_application import HostApplication
    from dispatcher.settings import Settings


def demo(
    leave: Annotated[bool, typer.Option("--exit", help="Stop after the story; status 0 if all went well.")] = False,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of the API; else DISPATCHER_PORT or a free one.")
    ] = None,
) -> None:
    """Start everything with a sample product host, and follow six events through it. Touches nothing but its folder.

    Example: dispatcher demo --exit
    """
    typer.secho("A marketplace, the dispatcher and a product host, all on this machine", bold=True)
    from dispatcher.cli.beginning import load_settings
    from dispatcher.cli.demo.stage import demo_settings
    from dispatcher.cli.processes.startup import run_process

    given = load_settings()
    settings = demo_settings(given, port)
    well = run_process(_demo(settings, given.port if port is None else port, leave=leave), settings)
    if not well:
        raise typer.Exit(1)


async def _demo(settings: Settings, wanted_port: int, *, leave: bool) -> bool:
    """Run the story; True when every event ended as it should."""
    from dispatcher.cli.demo.connect import open_marketplace
    from dispatcher.cli.demo.stage import stage
    from dispatcher.cli.processes.startup import stop_on_signals

    with stop_on_signals() as stop:
        async with stage(settings) as actors:
            _introduce(actors, wanted_port)
            story = asyncio.create_task(_tell(actors))
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({story, stopping, actors.worker}, return_when=asyncio.FIRST_COMPLETED)
            if not story.done():
                story.cancel()
                stopping.cancel()
                _raise_failure(actors.worker)
                return False
            application = await open_marketplace(actors)
            try:
                well = await story
                if leave:
                    well = await _connect(actors, application) and well
                await _suggest(actors, application, leave=leave)
                if not leave:
                    await asyncio.wait({stopping, actors.worker}, return_when=asyncio.FIRST_COMPLETED)
                    _raise_failure(actors.worker)
            finally:
                await application.stop()
            stopping.cancel()
            return well


def _introduce(actors: Stage, wanted_port: int) -> None:
    from dispatcher.cli.demo.screen import step

    port = actors.api.settings.port
    step("Redis", f"embedded server, data in {actors.folder}")
    step("API", actors.api.address + (f"  (port {wanted_port} is taken)" if wanted_port not in (0, port) else ""))
    step("worker", "fetches tokens, signs, delivers, tracks")
    step("product host", f"{actors.host.notification_url()}, its tokens from {actors.host.token_url}")


async def _tell(actors: Stage) -> bool:
    from dispatcher.cli.demo import story as demo_story
    from dispatcher.cli.demo.screen import step, title, watching

    integration_id = await demo_story.define(actors)
    step("integration", f"{integration_id} created, published and linked to {demo_story.PRODUCT_ID}")
    title(
        f"Six events of account {demo_story.ACCOUNT_ID}; the host is busy once (503), and the others keep their order"
    )
    with watching() as show:
        lines = await demo_story.play(actors, show)
    wrong = demo_story.complaints(lines, actors.host.received)
    typer.echo("")
    for text in wrong:
        typer.secho(f"error: {text}", fg=typer.colors.RED, err=True)
    if not wrong:
        typer.secho(
            f"All {len(lines)} events were delivered, in order; the host verified every signature and token,\n"
            "and got a status notification about the end of each event.",
            fg=typer.colors.GREEN,
        )
    return not wrong


async def _connect(actors: Stage, application: HostApplication) -> bool:
    """True once an order from the marketplace's page has reached the product host."""
    from dispatcher.cli.demo.connect import ordered
    from dispatcher.cli.demo.screen import step, title

    title("A customer clicks Connect in a host application, and orders the product on the marketplace's page")
    order = await ordered(actors, application)
    if order is None or not order.genuine or not order.authorised:
        text = order.text if order else "it never came"
        typer.secho(f"error: the order did not reach the product host as it should: {text}", fg="red", err=True)
        return False
    answer = orjson.dumps(order.answer).decode()
    step("ordered", f"the host received {order.type}, signed and authorised, and answered {answer}")
    return True


async def _suggest(actors: Stage, application: HostApplication, *, leave: bool) -> None:
    from dispatcher.cli.demo.hints import hints

    if leave:
        typer.echo(f"Without --exit it stays up for you to try: {shlex.join(_program())} demo")
        return
    typer.secho(f"\nClick Connect at {application.url}, install the product, and watch its order arrive.", bold=True)
    typer.echo("\n".join(await hints(actors, shlex.join(_program()))))


def _raise_failure(worker: asyncio.Task[None]) -> None:
    if worker.done() and not worker.cancelled() and (error := worker.exception()):
        raise error


def _program() -> list[str]:
    """The words with which this program was started."""
    from dispatcher.cli.demo.hints import program

    return program(sys.argv[0])
