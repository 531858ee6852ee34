"""Kinds of settings whose text needs more than a type: how it is read, and what is refused in words."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from dispatcher.policy.addresses.proxies import read_proxy
from dispatcher.policy.bucket import read_bucket, read_endpoint
from dispatcher.policy.sign_in_roles import read_group_role

MAX_DELAYS = 50
MAX_DELAY_S = 30 * 86400


def _split(value: object) -> object:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _no_service_link(value: object) -> object:
    if isinstance(value, str) and "://" in value:
        text = "Kubernetes sets this for a Service called `dispatcher…`: give a number, and enableServiceLinks: false"
        raise ValueError(text)
    return value


def _proxy_readable(value: SecretStr) -> SecretStr:
    if isinstance(wrong := read_proxy(value.get_secret_value()), str):
        raise ValueError(f"give http://[user:password@]host:port: {wrong}")
    return value


def _bucket_readable(value: str) -> str:
    if isinstance(wrong := read_bucket(value), str):
        raise ValueError(wrong)
    return value


def _endpoint_readable(value: str) -> str:
    if isinstance(wrong := read_endpoint(value), str):
        raise ValueError(wrong)
    return value


def _roles_readable(value: tuple[str, ...]) -> tuple[str, ...]:
    for text in value:
        read_group_role(text)
    return value


def _schedule_in_bounds(value: tuple[float, ...]) -> tuple[float, ...]:
    if len(value) > MAX_DELAYS or any(not 0 <= delay <= MAX_DELAY_S for delay in value):
        raise ValueError(f"give at most {MAX_DELAYS} delays, each between 0 and {MAX_DELAY_S} seconds")
    return value


_COMMAS = BeforeValidator(_split)
_Port = Annotated[int, Field(ge=1, le=65535)]

Secrets = Annotated[tuple[SecretStr, ...], NoDecode, _COMMAS]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, _COMMAS]
PortList = Annotated[tuple[_Port, ...], NoDecode, _COMMAS]
Delays = Annotated[tuple[float, ...], NoDecode, _COMMAS, AfterValidator(_schedule_in_bounds)]
GroupRoles = Annotated[tuple[str, ...], NoDecode, _COMMAS, AfterValidator(_roles_readable)]
ListeningPort = Annotated[int, BeforeValidator(_no_service_link)]
ProxyUrl = Annotated[SecretStr, AfterValidator(_proxy_readable)]
BucketUrl = Annotated[str, AfterValidator(_bucket_readable)]
EndpointUrl = Annotated[str, AfterValidator(_endpoint_readable)]
