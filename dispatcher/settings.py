"""Every setting, with its default, unit and a sentence. Read only where a process is put together.

``dispatcher config`` prints this class as the settings reference.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from dispatcher.clock import DAY_MS
from dispatcher.ids import MAX_PARTITIONS
from dispatcher.policy.addresses.urls import Ports
from dispatcher.policy.bucket import Bucket, read_bucket
from dispatcher.setting_kinds import (
    BucketUrl,
    Delays,
    EndpointUrl,
    GroupRoles,
    ListeningPort,
    Networks,
    PortList,
    ProxyUrl,
    Secrets,
)

PREFIX = "DISPATCHER_"

CENTURY_DAYS = 36_500
"""Most that days may be: longer than that is for ever, and a time that no clock has."""

DEFAULT_SCHEDULE_S = (5.0, 60.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 50400.0, 72000.0, 86400.0)
"""Eleven attempts over three days."""


class Settings(BaseSettings):
    """Read from ``DISPATCHER_*`` environment variables: an empty one is unset, an unreadable value stops the start."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    redis_url: str | None = Field(
        None,
        description="redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// URL; "
        "unset = an embedded server in the data folder",
    )
    queue_redis_url: str | None = Field(
        None,
        description="Where arq keeps its jobs; unset = the same Redis. Needed with Redis Cluster, may be volatile",
    )
    amqp_url: str | None = Field(
        None, description="amqp:// or amqps:// URL of the broker that `dispatcher intake --queue` takes events from"
    )
    data_dir: Path = Field(Path(".dispatcher"), description="Folder of the embedded server and of generated keys")
    host: str = Field("127.0.0.1", description="Address that the API listens on")
    port: ListeningPort = Field(8080, ge=0, le=65535, description="Port that the API listens on; 0 = any free one")
    public_base_url: str | None = Field(
        None, description="How the outside reaches the API, without a trailing slash; unset = http://host:port"
    )
    secret_keys: Secrets = Field(
        (), description="Comma-separated keys that encrypt secrets at rest, newest first: 32 bytes in base64 or hex"
    )
    admin_client_id: str | None = Field(None, description="API client with every scope, created at start")
    admin_client_secret: SecretStr | None = Field(None, description="Its secret, 16 characters or more")
    client_key_file: Path | None = Field(
        None,
        description="PEM file with the private key that verbs prove DISPATCHER_ADMIN_CLIENT_ID by, not a secret",
    )
    allow_networks: Networks = Field(
        (), description="Comma-separated CIDRs that notifications may go to although private"
    )
    deny_networks: Networks = Field(
        (), description="Comma-separated CIDRs that notifications never go to; wins over DISPATCHER_ALLOW_NETWORKS"
    )
    allow_ports: PortList = Field(
        (), description="Comma-separated ports that URLs may name besides 80, 443 and those from 1024 up"
    )
    deny_ports: PortList = Field(
        (), description="Comma-separated ports that URLs may never name, besides those of well-known services"
    )
    proxy_url: ProxyUrl | None = Field(
        None, description="http:// proxy that everything goes out through, [user:password@]host:port; unset = none"
    )
    require_https: bool = Field(False, description="Refuse http:// URLs in integrations")
    retry_schedule: Delays = Field(
        DEFAULT_SCHEDULE_S, description="Seconds between attempts, comma-separated; n delays = n+1 attempts"
    )
    request_timeout: float = Field(30.0, gt=0, le=300, description="Seconds for one whole POST")
    connect_timeout: float = Field(5.0, gt=0, le=60, description="Seconds to connect to a host")
    result_deadline: float = Field(
        7 * 86400.0,
        gt=0,
        le=365 * 86400,
        description="Seconds that a host has to report the result of an event it answered with 202",
    )
    token_lifetime: float = Field(
        300.0, ge=1, le=86400, description="Seconds for which a host's access token is used when its answer names none"
    )
    partitions: int = Field(
        8, ge=1, le=MAX_PARTITIONS, description="Slices of the queue; fixed once the store holds events"
    )
    retention_days: float = Field(
        30.0, gt=0, le=CENTURY_DAYS, description="Days that a terminal event can still be read"
    )
    archive_dir: Path | None = Field(
        None,
        description="Folder, the same for the API and all workers, that events move to which ended well long ago; "
        "unset = they stay in Redis; beside an embedded server it is `archive` in its folder",
    )
    archive_url: BucketUrl | None = Field(
        None,
        description="s3://BUCKET/PREFIX of object storage that speaks S3, in place of that folder; needs the extra s3 "
        "and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a role of the container or machine",
    )
    archive_endpoint: EndpointUrl | None = Field(
        None, description="http:// or https:// address of that storage; unset = that of AWS_ENDPOINT_URL, else AWS"
    )
    archive_region: str | None = Field(
        None, pattern="^[A-Za-z0-9_-]+$", description="Its region; unset = that of AWS_REGION, else us-east-1"
    )
    archive_path_style: bool = Field(
        True, description="The bucket is in the path of its URLs; false = in the name of the host"
    )
    archive_after_days: float = Field(
        3.0, ge=1, le=CENTURY_DAYS, description="Days after which such an event moves to the archive"
    )
    pack_contents: bool = Field(
        True, description="Store creators and payloads compressed; false while an older version may still read them"
    )
    memory_high_water: float = Field(
        0.9, ge=0, le=1, description="Share of Redis's maxmemory from which on no more events are accepted; 0 = never"
    )
    min_replicas: int = Field(
        0, ge=0, le=16, description="Replicas of Redis that must have an event before it is accepted; 0 = none"
    )
    max_body_bytes: int = Field(1024 * 1024, ge=1024, le=1024**3, description="Largest request body accepted, in bytes")
    metrics_port: ListeningPort | None = Field(
        None, ge=0, le=65535, description="Port on which a worker serves /metrics and /healthz; unset = none"
    )
    log_format: str = Field("auto", pattern="^(auto|json|console)$", description="json, console or auto (by terminal)")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="Least severe level logged")
    concurrency: int = Field(
        512,
        ge=1,
        le=10_000,
        description="Attempts that one worker process runs at a time; those that wait for slow hosts lend their places",
    )
    lane_concurrency: int = Field(128, ge=1, le=10_000, description="Attempts at a time for one integration, at most")
    run: int = Field(
        1,
        ge=1,
        le=32,
        description="Events of one account that a worker takes together, at most, and sends one after the other; more "
        "than 1 is faster for busy accounts, and lets the last of them come again out of order after a lost worker",
    )
    lease: float = Field(5.0, ge=1, le=60, description="Seconds after which a silent worker loses its partitions")
    drain_timeout: float = Field(
        35.0, ge=0, le=86400, description="Seconds that a stopping worker lets running attempts finish"
    )
    circuit_failures: int = Field(10, ge=1, le=1_000_000, description="Transport failures in a row that open a circuit")
    circuit_open: float = Field(
        30.0, gt=0, le=86400, description="Seconds until an open circuit lets one attempt through"
    )
    disable_after_days: float = Field(
        5.0,
        ge=0,
        le=365,
        description="Days of nothing but failing attempts after which an integration is disabled; 0 = never",
    )
    operations_url: str | None = Field(
        None,
        description="Where operators are notified of failing credentials, open circuits, dead letters and the like",
    )
    operations_secret: SecretStr | None = Field(None, description="whsec_ secret that signs these notifications")
    client_rate: float = Field(
        0.0, ge=0, le=1_000_000, description="Requests per second that one API client may make; 0 = any number"
    )
    client_burst: float = Field(
        1.0, gt=0, le=3600, description="Seconds of its rate that an API client may use at once"
    )
    auth_failures: int = Field(
        300, ge=0, le=10_000, description="Wrong secrets per minute for one client from one address; 0 = any number"
    )
    password_failures: int = Field(
        10, ge=0, le=10_000, description="Wrong passwords per minute for one user name from one client; 0 = any number"
    )
    draft_days: float = Field(
        30.0, ge=0, le=3650, description="Days without a change after which an unfinished installation goes; 0 = never"
    )
    session_idle: float = Field(
        3600.0, ge=60, le=7 * 86400, description="Seconds without a look at any page after which one is signed out"
    )
    session_lifetime: float = Field(
        12 * 3600.0,
        ge=60,
        le=30 * 86400,
        description="Seconds after which one has to sign in to pages again",
    )
    console_oidc_issuer: str | None = Field(
        None,
        pattern=r"^(https://|http://(127\.[0-9.]+|localhost|\[::1\])([:/]|$))[^\s#?]*$",
        description="Issuer of the OpenID Connect provider where people sign in to the console; unset = nowhere",
    )
    console_oidc_client_id: str | None = Field(None, description="The console's client id there")
    console_oidc_client_secret: SecretStr | None = Field(
        None, description="Its secret there; unset = a public client, with PKCE as ever"
    )
    console_oidc_claim: str = Field("groups", min_length=1, description="Claim that names the groups of a person")
    console_oidc_roles: GroupRoles = Field(
        (),
        description="Comma-separated GROUP=ROLE, the first that fits counts: viewer, operator, admin, publisher:VENDOR",
    )
    trusted_proxies: Networks = Field(
        (), description="Comma-separated CIDRs of proxies whose X-Forwarded-For says where a request comes from"
    )
    audit_days: float = Field(365.0, gt=0, le=CENTURY_DAYS, description="Days that an entry of the audit log is kept")
    audit_entries: int = Field(
        100_000,
        ge=100,
        le=100_000_000,
        description="Entries of the audit log that are kept at most, about a kilobyte each",
    )
    traces_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s]+$",
        description="Where spans go, by OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces; needs the extra otel; "
        "unset = nowhere",
    )
    metrics_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s]+$",
        description="Where metrics go, by OTLP over HTTP, such as http://127.0.0.1:4318/v1/metrics; needs the extra "
        "otel; unset = nowhere",
    )
    metrics_interval: float = Field(
        60.0, ge=1, le=86400, description="Seconds between two pushes of metrics to METRICS_URL"
    )
    history_bytes: int = Field(
        64 * 1024 * 1024,
        ge=0,
        le=1024**4,
        description="Bytes of Redis for charts of single integrations; coldest minutes go first; 0 = no such charts",
    )
    partner: str = Field("ACME", description="marketplace.partner in every notification")

    @model_validator(mode="after")
    def _oidc_whole(self) -> Self:
        if self.console_oidc_issuer and not (self.console_oidc_client_id and self.console_oidc_roles):
            raise ValueError(
                "DISPATCHER_CONSOLE_OIDC_ISSUER needs DISPATCHER_CONSOLE_OIDC_CLIENT_ID, and "
                "DISPATCHER_CONSOLE_OIDC_ROLES, without which nobody has a role"
            )
        return self

    @model_validator(mode="after")
    def _one_archive(self) -> Self:
        if self.archive_dir is not None and self.archive_url is not None:
            raise ValueError("give DISPATCHER_ARCHIVE_DIR or DISPATCHER_ARCHIVE_URL: history is in one place")
        if self.archive_url is None and (self.archive_endpoint or self.archive_region):
            raise ValueError("DISPATCHER_ARCHIVE_ENDPOINT and _REGION are of DISPATCHER_ARCHIVE_URL: set that too")
        return self

    @property
    def ports(self) -> Ports:
        """Ports that URLs may name."""
        return Ports(allowed=frozenset(self.allow_ports), denied=frozenset(self.deny_ports))

    @property
    def retention_ms(self) -> int:
        return int(self.retention_days * DAY_MS)

    @property
    def archive_place(self) -> Path | Bucket | None:
        """The folder or bucket that history moves to; None = there is none."""
        if self.archive_url is None:
            return self.archive_dir
        read = read_bucket(self.archive_url)
        assert not isinstance(read, str)
        return Bucket(*read, self.archive_endpoint or "", self.archive_region or "", self.archive_path_style)

    @property
    def archive_after_ms(self) -> int:
        return int(self.archive_after_days * DAY_MS)

    @property
    def audit_ms(self) -> int:
        return int(self.audit_days * DAY_MS)

    @property
    def base_url(self) -> str:
        """``public_base_url`` or, without one, where the API listens."""
        return (self.public_base_url or f"http://{self.host}:{self.port}").rstrip("/")
