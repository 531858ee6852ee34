"""Query parameters, headers, forms and other media types of requests, beside the route table. Data only."""

from __future__ import annotations

from typing import Any

from dispatcher.api.http.request.embedding_bodies import EMBEDDING_BODIES
from dispatcher.api.http.request.query import PLAIN, TIME
from dispatcher.model.event_type import EventType
from dispatcher.model.status import Status
from dispatcher.policy.figures.tally import COUNTS, MEASURES

Parameter = dict[str, Any]

_DELAY = (
    r"(([0-9]{1,6}|1[0-9]{6}|2[0-4][0-9]{5}|25[0-8][0-9]{4}|259[01][0-9]{3})(\.[0-9]{1,3})?|2592000)"  # up to 30 days
)
SCHEDULE = rf"^({_DELAY}(,{_DELAY}){{0,49}})?$"
"""At most 50 delays, comma-separated."""


def _query(name: str, schema: dict[str, Any], description: str) -> Parameter:
    return {"name": name, "in": "query", "schema": schema, "description": description}


def _header(name: str, schema: dict[str, Any], description: str) -> Parameter:
    return {"name": name, "in": "header", "schema": schema, "description": description}


_TEXT = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": PLAIN}
_MOMENT = {"type": "string", "pattern": TIME}
_FILTER = {"type": "string", "minLength": 1, "maxLength": 1000, "pattern": r"^[^\x00-\x1f\x7f-\x9f]+$"}
_SEALED = {"type": "string", "minLength": 1, "maxLength": 512, "pattern": "^[A-Za-z0-9_-]+$"}
_UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_KEY = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"}
_TIME = "ISO 8601 or milliseconds since 1970"

FILTERS: tuple[Parameter, ...] = (
    _query("status", {"type": "array", "items": {"enum": [s.value for s in Status]}}, "Any of these"),
    _query("type", {"type": "array", "items": {"enum": [t.value for t in EventType]}}, "Any of these"),
    _query("productId", _TEXT, "Events of this product"),
    _query("accountId", _TEXT, "Events of this account"),
    _query("integrationId", _TEXT, "Events of this integration"),
    _query("from", _MOMENT, f"Accepted at or after this time: {_TIME}"),
    _query("to", _MOMENT, f"Accepted before this time: {_TIME}"),
    _query(
        "q",
        _FILTER,
        "A filter such as `status:dead since:2h -account:acme`: docs/filters.md. The other conditions hold beside it",
    ),
)

_STEP = {"type": "integer", "minimum": 1, "maximum": 7_776_000}
_WINDOW = (
    _query("from", _MOMENT, f"Begin, an hour before the end unless given: {_TIME}"),
    _query("to", _MOMENT, f"End, now unless given: {_TIME}"),
    _query("step", _STEP, "Seconds of a step, a multiple of what is kept so far back; 1,500 steps at most"),
)
_OF_ONE = _query("integrationId", _TEXT, "Of this integration alone, by any of its ids")


def _conditional(what: str) -> tuple[Parameter, ...]:
    return (_header("If-Match", {"type": "string"}, f"ETag of the {what}: 412 if it is another one by now"),)


_IF_MATCH, _UNCHANGED = _conditional("client"), _conditional("integration")
_ONCE = (
    _header(
        "Idempotency-Key",
        _KEY,
        "Repeating the request with this key within 24 hours makes no second one",
    ),
)

_TRACE = _header(
    "traceparent",
    {"type": "string"},
    "W3C trace context; sent to the host with every attempt, left out when unreadable",
)

_OF_ACCOUNT = (_header("X-Cyclr-Account", {"type": "string"}, "The account, where the token is not one account's"),)

PARAMETERS: dict[tuple[str, str], tuple[Parameter, ...]] = {
    ("POST", "/v1/events"): (
        _header(
            "Idempotency-Key",
            _KEY,
            "Repeating the request with this key within 24 hours accepts nothing twice",
        ),
        _TRACE,
    ),
    ("POST", "/v1/events/batch"): (_TRACE,),
    ("GET", "/v1/events"): (
        *FILTERS,
        _query("fromDate", _MOMENT, "Another name for from"),
        _query("toDate", _MOMENT, "Another name for to"),
        _query("cursor", _SEALED, "nextCursor of the page before"),
        _query("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 50}, "Events on a page"),
        _query(
            "page",
            {"type": "integer", "minimum": 1},
            "Number of the page, up to 1,000 events back",
        ),
        _query("size", {"type": "integer", "minimum": 1, "maximum": 1000}, "Another name for limit"),
    ),
    ("GET", "/v1/events/count"): FILTERS,
    ("GET", "/v1/events/{id}"): (
        _query("wait", {"type": "integer", "minimum": 0, "maximum": 30}, "Seconds to wait for the event to end"),
    ),
    ("GET", "/v1/events/stream"): (
        *(one for one in FILTERS if one["name"] in ("q", "status", "type", "accountId", "integrationId")),
        _header("Last-Event-ID", {"type": "string"}, "Go on after this message"),
        _query("lastEventId", {"type": "string"}, "The same, for clients that cannot set the header"),
    ),
    ("GET", "/v1/redeliveries"): (
        _query("cursor", {"type": "string", "pattern": f"^{_UUID}$"}, "nextCursor of the page before"),
        _query("limit", {"type": "integer", "minimum": 1, "maximum": 500, "default": 50}, "Jobs on a page"),
    ),
    ("GET", "/v1/redeliveries/{id}/items"): (
        _query("cursor", {"type": "string", "pattern": "^[0-9]{1,6}$"}, "nextCursor of the page before"),
        _query("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}, "Results on a page"),
        _header("Accept", {"type": "string"}, "application/x-ndjson: all of them, one a line"),
    ),
    ("GET", "/v1/retry-preview"): (
        _query("schedule", {"type": "string", "pattern": SCHEDULE}, "Seconds between attempts; else the deployment's"),
        _query("maxAge", {"type": "number", "minimum": 1, "maximum": 2_592_000}, "No attempt later than this"),
    ),
    ("GET", "/v1/metrics/series"): (
        _query("metric", {"type": "array", "items": {"enum": list(COUNTS)}}, "Any of these; all of them unless given"),
        _OF_ONE,
        *_WINDOW,
    ),
    ("GET", "/v1/metrics/percentiles"): (
        _query("measure", {"type": "array", "items": {"enum": list(MEASURES)}}, "Either of these; both unless given"),
        _OF_ONE,
        *_WINDOW,
    ),
    ("GET", "/v1/metrics/integrations"): (
        *_WINDOW,
        _query("sort", {"enum": list(COUNTS[1:]), "default": "attempts"}, "Integrations with most of it come first"),
        _query("limit", {"type": "integer", "minimum": 1, "maximum": 500, "default": 50}, "Integrations at most"),
    ),
    ("GET", "/v1/audit"): (
        _query("clientId", _TEXT, "What this client did"),
        _query("action", _TEXT, "Only this action"),
        _query("objectId", _TEXT, "What was done to this object"),
        _query("from", _MOMENT, f"Done at or after this time: {_TIME}"),
        _query("to", _MOMENT, f"Done before this time: {_TIME}"),
        _query("cursor", _SEALED, "nextCursor of the page before"),
        _query("limit", {"type": "integer", "minimum": 1, "maximum": 500, "default": 50}, "Entries on a page"),
    ),
    ("GET", "/v1/integrations"): (
        _query("after", _TEXT, "The id behind which the page begins"),
        _query("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 1000}, "Integrations on a page"),
    ),
    ("GET", "/v1/connectors/{_connectorId}/installBase"): (
        _query("after", _TEXT, "The id behind which the page begins"),
        _query("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 1000}, "Integrations on a page"),
    ),
    ("POST", "/v1/integrations"): _ONCE,
    ("POST", "/v1/integrations/{_id}/clone"): _ONCE,
    ("PUT", "/v1/integrations/{_id}"): _UNCHANGED,
    ("DELETE", "/v1/integrations/{_id}"): _UNCHANGED,
    ("GET", "/v1/definitions"): (
        _query(
            "cursor",
            {"type": "string", "pattern": f"^[0-9]{{1,15}}:{_UUID}(:[0-9a-f]{{8}})?$"},
            "nextCursor of the page before",
        ),
        _query("limit", {"type": "integer", "minimum": 1, "maximum": 200, "default": 200}, "Definitions on a page"),
    ),
    ("GET", "/v1/definitions/{id}"): (
        _query("version", {"enum": ["WORKING", "PUBLISHED"], "default": "WORKING"}, "The version that is shown"),
    ),
    ("PATCH", "/v1/definitions/{id}"): _UNCHANGED,
    ("DELETE", "/v1/definitions/{id}"): (
        *_UNCHANGED,
        _query("discardWaitingEvents", {"type": "boolean", "default": False}, "Events that wait end as DEAD"),
    ),
    ("POST", "/v1/definitions/{id}/publish"): _UNCHANGED,
    ("PUT", "/v1/products/{productId}"): _conditional("product"),
    ("PUT", "/v1/marketplaces/{marketplaceId}"): _conditional("marketplace"),
    ("DELETE", "/v1/marketplaces/{marketplaceId}"): _conditional("marketplace"),
    ("POST", "/v1/marketplaces/{marketplaceId}/rotate"): _conditional("marketplace"),
    ("PUT", "/v1/connector-templates/{templateId}"): _conditional("template"),
    ("DELETE", "/v1/connector-templates/{templateId}"): _conditional("template"),
    ("PATCH", "/v1/clients/{clientId}"): _IF_MATCH,
    ("DELETE", "/v1/clients/{clientId}"): _IF_MATCH,
    ("POST", "/v1/clients/{clientId}/rotate"): _IF_MATCH,
    ("GET", "/v1.0/account/connectors"): _OF_ACCOUNT,
    ("GET", "/account/connectors"): _OF_ACCOUNT,
    ("PUT", "/v1.0/account/connectors/{connectorId}"): _OF_ACCOUNT,
    ("DELETE", "/v1.0/account/connectors/{connectorId}"): _OF_ACCOUNT,
    ("POST", "/v1.0/connectors/{templateId}/install"): _OF_ACCOUNT,
    ("GET", "/v1/queue"): (
        _query("lanes", {"type": "integer", "minimum": 0, "maximum": 1000}, "How many lanes are listed"),
    ),
}
"""By method and path."""

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""RFC 7523 §2.2."""
_FIELD = {"type": "string"}
_FILLED = {"type": "string", "minLength": 1}
_SECRET_FIELDS = {
    "client_id": _FIELD,
    "client_secret": _FIELD,
    "client_assertion_type": {"const": ASSERTION_TYPE},
    "client_assertion": _FILLED,
}


def _form(needed: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Each field once, and those that nobody knows ignored (RFC 6749 §3.2); an assertion with its type (RFC 7521)."""
    return {
        "type": "object",
        "required": [needed],
        "properties": fields | _SECRET_FIELDS,
        "additionalProperties": _FIELD,
        "dependentRequired": {
            "client_assertion": ["client_assertion_type"],
            "client_assertion_type": ["client_assertion"],
        },
        "not": {"required": ["client_secret", "client_assertion"]},
    }


_CREDENTIALS_FORM = _form("grant_type", {"grant_type": {"const": "client_credentials"}, "scope": _FIELD})
_TOKEN_FORM = _form("token", {"token": _FILLED, "token_type_hint": _FIELD})

OAUTH_FORMS: dict[str, dict[str, Any]] = {
    "/oauth2/token": _CREDENTIALS_FORM,
    "/oauth/token": _CREDENTIALS_FORM,
    "/oauth2/revoke": _TOKEN_FORM,
    "/oauth2/introspect": _TOKEN_FORM,
}

_CLOUD_EVENT = {"description": "As a CloudEvent of POST /v1/events; its source and id are its idempotency key"}
_ITEM = {"description": "As the body of POST /v1/events; one that is not is refused in its own result only"}

MEDIA: dict[tuple[str, str], dict[str, Any]] = {
    **EMBEDDING_BODIES,
    ("POST", "/v1/events/batch"): {
        "application/json": {"schema": {"type": "array", "maxItems": 1000, "items": _ITEM}},
        "application/x-ndjson": {"schema": {"type": "string", "description": "One event a line"}},
        "application/cloudevents-batch+json": {"schema": {"type": "array", "maxItems": 1000, "items": _CLOUD_EVENT}},
    },
    ("POST", "/graphql"): {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["query"],
                "properties": {
                    "query": _FILLED,
                    "variables": {"type": ["object", "null"]},
                    "operationName": {"type": ["string", "null"]},
                },
            }
        }
    },
}
"""Request bodies that are not one model."""
