"""Names of operations as a person would call them: the handler's, where that says enough by itself."""

from __future__ import annotations

from dispatcher.api.http.route import Route

_NAMES = {
    ("POST", "/v1/events"): "emitEvent",
    ("POST", "/v1/events/batch"): "emitEvents",
    ("GET", "/v1/events/stream"): "streamEvents",
    ("GET", "/v1/events/{id}/attempts"): "listAttempts",
    ("GET", "/v1/events/{id}/explain"): "explainEvent",
    ("GET", "/v1/redeliveries/{id}/items"): "listRedeliveryItems",
    ("GET", "/v1/event-types"): "listEventTypes",
    ("GET", "/v1/event-types/{type}"): "getEventType",
    ("GET", "/v1/retry-preview"): "previewRetries",
    ("GET", "/launch/products/{productId}"): "launchProduct",
    ("DELETE", "/v1/integrations/{_id}/upgrade"): "abandonUpgrade",
    ("GET", "/account/connectors"): "listConnectorsOfHost",
    ("POST", "/graphql"): "runGraphql",
    ("GET", "/graphql"): "openGraphql",
    ("GET", "/graphql/page/{file}"): "getGraphqlPageFile",
    ("GET", "/graphql/schema"): "getGraphqlSchema",
    ("POST", "/oauth2/token"): "requestToken",
    ("POST", "/oauth/token"): "requestTokenWithClientId",
    ("POST", "/oauth2/revoke"): "revokeToken",
    ("POST", "/oauth2/introspect"): "introspectToken",
    ("GET", "/oauth2/jwks"): "getAccessTokenKeys",
    ("GET", "/.well-known/oauth-authorization-server"): "getAuthorizationServer",
    ("GET", "/.well-known/webhook-keys/{integrationId}"): "getWebhookKeys",
    ("GET", "/v1/metrics/series"): "getSeries",
    ("GET", "/v1/metrics/percentiles"): "getPercentiles",
    ("GET", "/v1/metrics/integrations"): "rankIntegrations",
    ("POST", "/v1/status/problems/{problemId}/acknowledge"): "acknowledgeProblem",
    ("GET", "/v1/audit"): "listAuditEntries",
    ("GET", "/healthz"): "getHealth",
    ("HEAD", "/healthz"): "checkHealth",
    ("GET", "/readyz"): "getReadiness",
    ("HEAD", "/readyz"): "checkReadiness",
    ("GET", "/metrics"): "getMetrics",
    ("GET", "/openapi.json"): "getOpenapi",
    ("GET", "/docs"): "readDocs",
}


def operation_id(route: Route) -> str:
    """The name of the one operation of that method and path."""
    given = _NAMES.get((route.method, route.path))
    first, *others = route.handler.__name__.split("_")
    return given or first + "".join(word.capitalize() for word in others)
