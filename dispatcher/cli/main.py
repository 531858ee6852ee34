"""The command ``dispatcher``: a table of verbs, of which only the one that is asked for is imported.

Exit status: 0 = done; 1 = the thing asked about is not well, or what was asked is refused as things are or failed; 2 =
usage, a value or a setting that cannot be right, or nobody answers; 130 = interrupted; 141 = nobody reads on.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any

import typer

from dispatcher import __version__
from dispatcher.cli.ending import colour, errors_told, nothing_collected
from dispatcher.cli.terminal.options import VerbCommand
from dispatcher.cli.terminal.standard_streams import prepare_streams


@dataclass(frozen=True, slots=True)
class Verb:
    """``target`` is ``module:name`` of a function, or of a ``typer.Typer`` with verbs of its own."""

    name: str
    target: str
    summary: str


VERBS: tuple[Verb, ...] = (
    Verb("demo", "dispatcher.cli.demo.verb:demo", "See it all at work: six events, a product host, nothing to set up."),
    Verb("dev", "dispatcher.cli.processes.dev:dev", "Run API and worker in one process, with nothing to set up."),
    Verb("serve", "dispatcher.cli.processes.serve:serve", "Run the API."),
    Verb("worker", "dispatcher.cli.processes.worker:worker", "Run the workers that deliver events."),
    Verb("intake", "dispatcher.cli.processes.intake:intake", "Accept events from a Redis stream or an AMQP queue."),
    Verb("emit", "dispatcher.cli.events.emit:emit", "Emit one event, with a sample payload."),
    Verb("events", "dispatcher.cli.events.listing:events", "List events."),
    Verb("tail", "dispatcher.cli.events.tail:tail", "Follow status changes as they happen."),
    Verb("metrics", "dispatcher.cli.operating.metrics:metrics", "Show events and attempts over time."),
    Verb("explain", "dispatcher.cli.events.explain:explain", "Say where an event is, and why."),
    Verb("redeliver", "dispatcher.cli.jobs.redeliver:redeliver", "Send failed events again."),
    Verb("redeliveries", "dispatcher.cli.jobs.redeliveries:redeliveries", "List, show and cancel bulk jobs."),
    Verb("deliver-now", "dispatcher.cli.jobs.deliver_now:deliver_now", "Try events that wait again at once."),
    Verb("dead-letters", "dispatcher.cli.jobs.dead_letters:dead_letters", "Show what died, by cause."),
    Verb("pause", "dispatcher.cli.operating.pausing:pause", "Hold an integration's events back."),
    Verb("resume", "dispatcher.cli.operating.pausing:resume", "Let an integration's events go on."),
    Verb("suspended", "dispatcher.cli.operating.suspended:suspended", "Show URLs that answered 410 Gone."),
    Verb("expunge", "dispatcher.cli.jobs.expunge:expunge", "Forget the content of events that have ended."),
    Verb("status", "dispatcher.cli.operating.status:status", "Say what needs somebody, and what mends it."),
    Verb("resolve", "dispatcher.cli.jobs.resolve:resolve", "Close events by hand."),
    Verb(
        "integrations",
        "dispatcher.cli.publishing.integrations:integrations",
        "Define, publish, link and list integrations.",
    ),
    Verb("queue", "dispatcher.cli.operating.queue:queue", "Show how much waits, and where."),
    Verb("workers", "dispatcher.cli.operating.workers:workers", "Show the workers and what each has in hand."),
    Verb("ping", "dispatcher.cli.pinging.verb:ping", "Test an integration's URLs, step by step."),
    Verb("listen", "dispatcher.cli.listen.verb:listen", "Send real notifications to a developer's machine."),
    Verb("verify", "dispatcher.cli.verify:verify", "Check a signature and say which part is wrong."),
    Verb("clients", "dispatcher.cli.storage.clients:clients", "Create, list, rotate and disable API clients."),
    Verb("secrets", "dispatcher.cli.storage.secrets:secrets", "Seal everything with the newest key."),
    Verb("config", "dispatcher.cli.config:config", "Show every setting, or make a key."),
    Verb("completion", "dispatcher.cli.terminal.completion:completion", "Make a shell complete verbs and options."),
    Verb("bench", "dispatcher.cli.bench.verb:bench", "Measure a deployment: rate, latency, loss and duplicates."),
    Verb("doctor", "dispatcher.cli.storage.doctor:doctor", "Check the configuration and Redis."),
    Verb("audit", "dispatcher.cli.storage.audit:audit", "Recount the store: prove that no event is lost."),
    Verb(
        "audit-log",
        "dispatcher.cli.storage.audit_log:audit_log",
        "Show who changed what, or prove it unaltered.",
    ),
)


COMPLETING = "_DISPATCHER_COMPLETE"
"""Set while a shell asks how a command line goes on."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one verb and exits."""
    prepare_streams()
    given = list(sys.argv[1:] if arguments is None else arguments)
    with errors_told(given):
        with nothing_collected():
            program = build(_typed_so_far() or given)
        program(args=given, prog_name="dispatcher", color=colour())


def _typed_so_far() -> list[str]:
    """Words that a shell wants to be completed: the verb among them has to be loaded for its options."""
    if COMPLETING not in os.environ:
        return []
    return (os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS", "")).split()[1:]


def build(arguments: Sequence[str], verbs: Sequence[Verb] = VERBS) -> typer.Typer:
    """The program, with the verb that ``arguments`` name loaded and all others known by their summary."""
    app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
    app.callback()(_options)
    asked = next((argument for argument in arguments if not argument.startswith("-")), None)
    for verb in verbs:
        _register(app, verb, load(verb) if verb.name == asked else _unused)
    return app


def load(verb: Verb) -> typer.Typer | Callable[..., Any]:
    """The object that ``verb.target`` names."""
    module, _, name = verb.target.partition(":")
    loaded: typer.Typer | Callable[..., Any] = getattr(import_module(module), name)
    return loaded


def _register(app: typer.Typer, verb: Verb, loaded: typer.Typer | Callable[..., Any]) -> None:
    if isinstance(loaded, typer.Typer):
        app.add_typer(loaded, name=verb.name, help=verb.summary)
    else:
        app.command(verb.name, cls=VerbCommand, help=verb.summary)(loaded)


def _unused() -> None:
    """Stands for a verb that was not asked for."""


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"dispatcher {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Signed, ordered and tracked webhooks for marketplaces."""


if __name__ == "__main__":
    main()
