"""An API client as REST and the command line show it: never with its secret, nor its hash. Pure."""

from __future__ import annotations

from typing import Any

import orjson

from dispatcher.clock import iso_ms
from dispatcher.model.access import ApiClient


def client_json(client: ApiClient) -> dict[str, Any]:
    return {
        "clientId": client.client_id,
        "name": client.name,
        "scopes": sorted(client.scopes),
        "accountId": client.account_id,
        "vendorId": client.vendor_id,
        "rate": client.rate_per_s,
        "marketplaces": list(client.marketplaces) if client.marketplaces is not None else None,
        "disabled": client.disabled,
        "publicKey": orjson.loads(client.public_key) if client.public_key else None,
        "createdOn": client.created_ms,
        "createdAt": iso_ms(client.created_ms),
    }
