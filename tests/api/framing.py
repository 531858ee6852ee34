"""Requests in pieces. Holds no test."""

from __future__ import annotations

import orjson

JSON = {"Content-Type": "application/json"}
EVENT = orjson.dumps({"type": "create", "productId": "P-1"})
