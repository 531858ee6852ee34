"""Without an address for spans nothing of OpenTelemetry is needed; with one and without the extra the start says so."""

from __future__ import annotations

import sys

import pytest

from dispatcher.errors import ConfigurationError
from dispatcher.telemetry.tracing import tracing_of


def test_an_address_without_the_extra_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "opentelemetry"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    assert tracing_of("dispatcher-api", None) is None
    with pytest.raises(ConfigurationError, match=r"pip install 'marketplace-dispatcher\[otel\]'"):
        tracing_of("dispatcher-api", "http://127.0.0.1:4318/v1/traces")
