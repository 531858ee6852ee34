"""An integration that is there. Holds no test."""

from __future__ import annotations

from typing import Any

from tests.api.conftest import Api
from tests.api.installations.samples import ALL


async def made(api: Api, body: Any, **more: Any) -> Any:
    return await api.json("POST", ALL, 201, json=body, **more)
