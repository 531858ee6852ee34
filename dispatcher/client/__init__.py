"""A typed asyncio client of the HTTP API: tokens, safe repeats, paging and the stream of changes.

Knows only what the API promises: it never reads the store, and never imports the server.
"""

from dispatcher.client.client import Client
from dispatcher.client.errors import ApiError, Unreachable

__all__ = ["ApiError", "Client", "Unreachable"]
