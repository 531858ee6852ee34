"""Words for each field of an integration, and the form that it stands in. A field without a row has its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dispatcher.model.event_type import URL_FIELDS


@dataclass(frozen=True, slots=True)
class Label:
    text: str
    hint: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    """Values in words."""


EDIT = {
    "What it is": ("name", "vendorId"),
    "Where events go": (*URL_FIELDS, "filter"),
    "How hosts are told, and answers are read": ("style", "format", "answers", "validatePayloads", "headers"),
    "What a buyer is asked": ("orderRequireFormFields", "orderFormFields", "installTemplate"),
    "Watching it": ("probeIntervalMinutes",),
}
CREDENTIALS = {
    "Who we are at the host": ("outboundCredentials",),
    "Connections": ("transport",),
}
LIMITS = {
    "How much at once": ("concurrency", "rateLimit"),
    "How often, and how long": ("retrySchedule", "requestTimeout", "maxAge", "resultDeadline"),
}
FORMS: Mapping[str, Mapping[str, tuple[str, ...]]] = {"/edit": EDIT, "/credentials": CREDENTIALS, "/limits": LIMITS}
"""By the tab of the page; every row of the table that can be given is in one of them."""

LONG = frozenset({"transport.clientCertificate", "transport.caCertificates"})
"""PEM texts."""

_DEFAULT = "empty = the deployment's own"
_JSON = "JSON, as the API takes it"

LABELS: Mapping[str, Label] = {
    "name": Label("Name"),
    "vendorId": Label("Vendor", "whose it is; empty = nobody's, and only clients of no vendor reach it"),
    "createUrl": Label("Orders", "SUBSCRIPTION_ORDER"),
    "upgradeUrl": Label("Changes", "SUBSCRIPTION_CHANGE"),
    "cancelUrl": Label("Cancellations", "SUBSCRIPTION_CANCEL"),
    "notifyUrl": Label("Notices", "SUBSCRIPTION_NOTICE"),
    "eventStatusUrl": Label("Status of events", "SUBSCRIPTION_STATUS"),
    "assignUrl": Label("User assigned", "USER_ASSIGNMENT"),
    "unassignUrl": Label("User unassigned", "USER_UNASSIGNMENT"),
    "userUpdatedUrl": Label("User changed", "USER_UPDATED"),
    "addonNotificationUrl": Label("Add-ons", "ADDON_ORDER, ADDON_CHANGE, ADDON_CANCEL, ADDON_BIND, ADDON_UNBIND"),
    "filter": Label("Only events that fit", f"{_JSON}; empty = all of them"),
    "answers": Label(
        "A 2xx answer means",
        options={"auto": "what its body says, else delivered", "result": "its body is the result", "ack": "delivered"},
    ),
    "style": Label(
        "A host is told",
        options={"POST": "in the body of a POST", "EVENT_URL_GET": "by a GET, and reads the event at its eventUrl"},
    ),
    "format": Label("Body of a POST", options={"STANDARD": "this product's own", "CLOUDEVENTS": "a CloudEvent"}),
    "validatePayloads": Label("Accept only payloads that fit the schema of their type"),
    "headers": Label("Headers of its own", f"{_JSON}: name, value, secret. A masked value stays as it is"),
    "orderRequireFormFields": Label("Refuse an order without the required answers"),
    "orderFormFields": Label("Questions to a buyer", f"{_JSON}: name, label, type, required"),
    "installTemplate": Label(
        "Steps of an installation", f"{_JSON}: name, description, installURL, installerFunction …"
    ),
    "probeIntervalMinutes": Label("Ping it by itself every … minutes", "empty = never"),
    "outboundCredentials.type": Label(
        "Authorization",
        options={"NONE": "none", "BASIC": "user name and password (Basic)", "OAUTH2": "OAuth 2 access token"},
    ),
    "outboundCredentials.clientId": Label("Client id or user name"),
    "outboundCredentials.clientSecret": Label("Client secret or password"),
    "outboundCredentials.tokenUri": Label("Token endpoint"),
    "outboundCredentials.grantType": Label("Grant"),
    "outboundCredentials.scope": Label("Scope"),
    "outboundCredentials.audience": Label("Audience"),
    "outboundCredentials.resource": Label("Resource"),
    "outboundCredentials.authMethod": Label("How we show who we are"),
    "outboundCredentials.privateKey": Label("Private key of the assertion", "PEM or JWK, for private_key_jwt"),
    "outboundCredentials.keyId": Label("Key id", "of the assertion"),
    "outboundCredentials.assertionAudience": Label("Audience of the assertion", "empty = the token endpoint"),
    "outboundCredentials.assertionAlgorithm": Label("Algorithm of the assertion", "empty = the key's own"),
    "outboundCredentials.tokenLifetime": Label("Seconds that a token lasts", "where its answer does not say"),
    "outboundCredentials.ignoreTokenType": Label("Take any type of token for Bearer"),
    "transport.clientCertificate": Label("Client certificate", "PEM, its issuers after it"),
    "transport.privateKey": Label("Key of the certificate", "PEM"),
    "transport.caCertificates": Label(
        "Authorities that the host's certificate may be from", "PEM; empty = public ones"
    ),
    "transport.proxyUrl": Label("Proxy"),
    "transport.proxyUsername": Label("Proxy's user name"),
    "transport.proxyPassword": Label("Proxy's password"),
    "concurrency": Label("Attempts at a time", _DEFAULT),
    "rateLimit": Label("Attempts per second", _DEFAULT),
    "retrySchedule": Label("Seconds between attempts", f"separated by commas; {_DEFAULT}"),
    "requestTimeout": Label("Seconds until an answer is given up", _DEFAULT),
    "maxAge": Label("Seconds after which an event is tried no more", "empty = as long as the schedule lasts"),
    "resultDeadline": Label("Seconds that a host has to report a result", _DEFAULT),
}
