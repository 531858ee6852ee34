"""Every field of an integration, one row each. Taking, showing, masking and checking follow from the rows.

Written by hand beside a row: the attribute in ``dispatcher.model.integration``, and the GraphQL input and output in
``dispatcher.api.graphql.types.integration_fields``. ``tests/flow/test_integration_fields.py`` walks them.
"""

from __future__ import annotations

from dispatcher.clock import DAY_MS
from dispatcher.flow.integrations.fields.host_rows import CREDENTIALS, HEADERS, TRANSPORT
from dispatcher.flow.integrations.fields.kind import Document
from dispatcher.flow.integrations.fields.product_rows import BOOKMARK, INSTALL_TEMPLATE, OPEN_ID_CONNECT, ORDER_FORM
from dispatcher.flow.integrations.fields.records import Affects, Field, Record
from dispatcher.flow.integrations.fields.values import (
    Condition,
    Delays,
    Name,
    Number,
    Switch,
    Url,
    choice,
)
from dispatcher.model.event_type import TYPE_RULES, URL_FIELDS
from dispatcher.model.integration import (
    AnswerMode,
    BodyFormat,
    Integration,
    NotificationStyle,
)

DAY_S = DAY_MS / 1000
WEEK_MINUTES = 7 * 24 * 60
URLS = {
    "createUrl": "Orders",
    "upgradeUrl": "Changes",
    "cancelUrl": "Cancellations",
    "notifyUrl": "Notices",
    "eventStatusUrl": "Status of events",
    "assignUrl": "User assigned",
    "unassignUrl": "User unassigned",
    "userUpdatedUrl": "User changed",
    "addonNotificationUrl": "Add-ons",
}
"""Words for what is sent to each URL."""


def _words_of(name: str) -> str:
    sent = (kind.value for kind, rule in TYPE_RULES.items() if rule.configurable and rule.url_field == name)
    return f"{URLS[name]}; URL for {', '.join(sent)}"


INTEGRATION = Record(
    make=Integration,
    fields=(
        Field("name", "name", Name(required=True), Affects.LISTING, says="Name"),
        *(
            Field(name, f"working.urls.{name}", Url(), says=_words_of(name), example="https://host.example/events")
            for name in URL_FIELDS
        ),
        Field(
            "outboundCredentials", "working.credentials", CREDENTIALS, says="Credentials of the dispatcher at the host"
        ),
        Field(
            "transport",
            "working.transport",
            TRANSPORT,
            says="Certificates and proxy; none: connections are made as the deployment does",
        ),
        Field(
            "answers",
            "working.answers",
            choice(
                AnswerMode,
                AnswerMode.AUTO,
                {"auto": "what its body says, else delivered", "result": "its body is the result", "ack": "delivered"},
            ),
            says="A 2xx answer means",
        ),
        Field(
            "format",
            "working.format",
            choice(
                BodyFormat,
                BodyFormat.STANDARD,
                {"STANDARD": "this product's own", "CLOUDEVENTS": "a CloudEvent, whose data is the notification"},
            ),
            says="Body of a POST",
        ),
        Field(
            "style",
            "working.style",
            choice(
                NotificationStyle,
                NotificationStyle.POST,
                {
                    "POST": "in the body of a POST",
                    "EVENT_URL_GET": "by a GET with ?eventUrl=, and reads the event there",
                },
            ),
            says="A host is told",
        ),
        Field(
            "retrySchedule",
            "working.retry.schedule_s",
            Delays(None, 50, 30 * DAY_S),
            says="Seconds between attempts; none = the deployment's own",
        ),
        Field(
            "requestTimeout",
            "working.retry.timeout_s",
            Number(None, 0.1, 300.0),
            says="Seconds until an answer is given up; none = the deployment's own",
        ),
        Field(
            "maxAge",
            "working.retry.max_age_s",
            Number(None, 1.0, 30 * DAY_S),
            says="Seconds after which an event is tried no more; none = as long as the schedule lasts",
        ),
        Field(
            "concurrency",
            "working.limits.concurrency",
            Number(None, 1, 10_000, whole=True),
            says="Attempts at a time; none = the deployment's own",
        ),
        Field(
            "rateLimit",
            "working.limits.rate_per_s",
            Number(None, 0.001, 100_000.0),
            says="Attempts per second; none = the deployment's own",
        ),
        Field(
            "resultDeadline",
            "working.result_deadline_s",
            Number(None, 1.0, 90 * DAY_S),
            says="Seconds that a host has to report a result; none = the deployment's own",
        ),
        Field("headers", "working.headers", HEADERS, says="Headers of its own; a masked value stays as it is"),
        Field("filter", "working.filter", Condition(), says="Only events that fit; none = all of them"),
        Field(
            "validatePayloads",
            "working.validate_payloads",
            Switch(),
            Affects.ACCEPTING,
            says="Accept only payloads that fit the schema of their type",
        ),
        Field(
            "orderRequireFormFields",
            "working.order_require_form_fields",
            Switch(),
            Affects.ACCEPTING,
            says="Refuse an order without the required answers",
        ),
        Field(
            "orderFormFields", "working.order_form_fields", ORDER_FORM, Affects.ACCEPTING, says="Questions to a buyer"
        ),
        Field(
            "installTemplate",
            "working.install_template",
            INSTALL_TEMPLATE,
            Affects.INSTALLING,
            says="Steps of an installation; at most 50",
        ),
        Field(
            "vendorId",
            "vendor_id",
            Name(),
            Affects.LISTING,
            says="Vendor; none = nobody's. Clients of one vendor leave it out: theirs is their vendor's",
            example="vendor-1",
        ),
        Field(
            "probeIntervalMinutes",
            "probe_interval_minutes",
            Number(None, 1, WEEK_MINUTES, whole=True, hint="; null = no scheduled pings"),
            Affects.PINGS,
            says="Minutes between scheduled pings; none = never",
        ),
        Field(
            "openIdConnectConfiguration",
            "working.open_id_connect",
            OPEN_ID_CONNECT,
            Affects.SIGN_ON,
            given=False,
            says="Sign-on to the product by OpenID Connect",
        ),
        Field(
            "bookmarkConfiguration",
            "working.bookmark",
            BOOKMARK,
            Affects.SIGN_ON,
            given=False,
            says="Sign-on to the product by a bookmark",
        ),
    ),
)
"""All of an integration that publishers set, WORKING and whole."""


def affected(changes: Document) -> frozenset[Affects]:
    """The parts of the product that these changes touch."""
    return frozenset(one.affects for one in INTEGRATION.asked(changes))
