"""Enumerations of the schema, and the leniency that publishers' scripts rely on.

A value may be given bare or quoted and in any case (``PER_SUBSCRIPTION``, ``"per_subscription"``),
in literals and in variables. Nothing else is guessed: another word is an error that names the allowed ones.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import strawberry
from graphql import GraphQLEnumType, GraphQLError
from graphql.language import EnumValueNode, Node, StringValueNode
from strawberry.types.enum import StrawberryEnumDefinition

from dispatcher.model.event_type import EventType
from dispatcher.model.integration import (
    AnswerMode,
    AuthMethod,
    BodyFormat,
    CredentialType,
    NotificationStyle,
    SigningAlgorithm,
)
from dispatcher.model.ping import CheckName, PingStatus, PingTrigger, PingVersion, StepName


@strawberry.enum(name="OutboundCredentialsGrantType", graphql_name_from="value")
class GrantType(StrEnum):
    CLIENT_CREDENTIALS = "client_credentials"


@strawberry.enum(name="ProductIntegrationOpenIdConnectCredentialMethod")
class ClientCreationMethod(StrEnum):
    """One client for each subscription, or one that all share."""

    PER_SUBSCRIPTION = "PER_SUBSCRIPTION"
    SHARED = "SHARED"


@strawberry.enum(name="ProductIntegrationOpenIdConnectGrantType")
class OpenIdGrantType(StrEnum):
    AUTHORIZATION_CODE = "AUTHORIZATION_CODE"
    CLIENT_CREDENTIALS = "CLIENT_CREDENTIALS"
    IMPLICIT = "IMPLICIT"
    PASSWORD = "PASSWORD"  # noqa: S105 - RFC 6749 names
    REFRESH_TOKEN = "REFRESH_TOKEN"  # noqa: S105


@strawberry.enum(name="AssertionAlgorithm")
class AssertionAlgorithm(StrEnum):
    """Signature of an assertion under an RSA key."""

    RS256 = "RS256"
    PS256 = "PS256"


strawberry.enum(EventType, name="ProductIntegrationEventType")
strawberry.enum(AnswerMode, name="AnswerMode")
strawberry.enum(BodyFormat, name="NotificationFormat")
strawberry.enum(NotificationStyle, name="NotificationStyle")
strawberry.enum(SigningAlgorithm, name="SigningAlgorithm")
strawberry.enum(CredentialType, name="OutboundCredentialsType")
strawberry.enum(AuthMethod, name="TokenEndpointAuthMethod", graphql_name_from="value")
strawberry.enum(PingVersion, name="ProductIntegrationVersion")
strawberry.enum(PingStatus, name="ProductIntegrationTestStatus")
strawberry.enum(PingTrigger, name="ProductIntegrationTestTrigger")
strawberry.enum(StepName, name="ProductIntegrationTestStepName")
strawberry.enum(CheckName, name="ProductIntegrationSecurityCheckName")


def make_lenient(schema: strawberry.Schema) -> None:
    """Let every enumeration of ``schema`` take its values quoted and in any case."""
    for concrete in schema.schema_converter.type_map.values():
        kind, definition = concrete.implementation, concrete.definition
        if isinstance(kind, GraphQLEnumType) and isinstance(definition, StrawberryEnumDefinition):
            members: dict[str, Any] = {
                name.lower(): definition.wrapped_cls(one.value) for name, one in kind.values.items()
            }
            _Lenient(kind, members).install()


class _Lenient:
    """Reads one enumeration's values in whatever form they come."""

    def __init__(self, kind: GraphQLEnumType, by_name: dict[str, Any]) -> None:
        self._kind = kind
        self._by_name = by_name

    def install(self) -> None:
        """graphql-core 3.3 asks ``coerce_input_*``; ``parse_*`` are the names of 3.2, which some callers still use."""
        methods = {
            "coerce_input_value": self.from_value,
            "parse_value": self.from_value,
            "coerce_input_literal": self.from_literal,
            "parse_literal": self.from_literal,
        }
        for name, method in methods.items():
            setattr(self._kind, name, method)

    def from_value(self, given: Any, *_: Any) -> Any:
        if not isinstance(given, str) or given.lower() not in self._by_name:
            raise self._unknown(given, None)
        return self._by_name[given.lower()]

    def from_literal(self, node: Node, *_: Any) -> Any:
        text = node.value if isinstance(node, EnumValueNode | StringValueNode) else None
        if text is None or text.lower() not in self._by_name:
            raise self._unknown(text, node)
        return self._by_name[text.lower()]

    def _unknown(self, given: Any, node: Node | None) -> GraphQLError:
        allowed = ", ".join(self._kind.values)
        return GraphQLError(f"{str(given)[:64]!r} is not a {self._kind.name}; use one of: {allowed}.", node)
