"""The name under which layers that may not import Redis's client pass it on. Never used by those who send commands."""

from __future__ import annotations

from redis.asyncio import Redis

StoreHandle = Redis
"""What ``connect`` returns and every store takes."""
