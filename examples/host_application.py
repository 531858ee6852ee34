"""A host application with a Connect button: its server asks for a one-time link, its page opens that.

    python examples/host_application.py --client-id … --client-secret … --marketplace 27

Open the address that it prints and click Connect. The program is ``dispatcher/sample_host_application/application.py``,
one file to copy from: it needs aiohttp, and nothing of the dispatcher's.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence

from dispatcher.sample_host_application import HostApplication


async def serve(application: HostApplication) -> None:
    """Until it is cancelled."""
    async with application:
        print(f"Open {application.url} and click Connect.", flush=True)
        await asyncio.Event().wait()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="A host application with a Connect button.")
    parser.add_argument("--dispatcher", default="http://127.0.0.1:8080", help="address of the dispatcher's API")
    parser.add_argument(
        "--client-id", required=True, help="made with: dispatcher clients create --role host-application"
    )
    parser.add_argument("--client-secret", required=True)
    parser.add_argument("--marketplace", type=int, required=True, help="number of the marketplace")
    parser.add_argument("--port", type=int, default=8081)
    given = parser.parse_args(arguments)
    client = given.client_id, given.client_secret
    application = HostApplication(given.dispatcher, *client, given.marketplace, port=given.port)
    try:
        asyncio.run(serve(application))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
