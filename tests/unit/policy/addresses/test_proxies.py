"""URLs of proxies: where one is, who one has to be there, and what is no proxy at all."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from dispatcher.effective_settings import reference
from dispatcher.policy.addresses.proxies import ProxyAddress, read_proxy
from dispatcher.settings import Settings


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("http://proxy.example.com:8888", ProxyAddress("proxy.example.com", 8888)),
        ("http://proxy.example.com/", ProxyAddress("proxy.example.com", 3128)),
        ("HTTP://PROXY.example.com:80", ProxyAddress("proxy.example.com", 80)),
        ("http://me:p%40ss%3A@proxy.example.com", ProxyAddress("proxy.example.com", 3128, "me", "p@ss:")),
        ("http://[2606:4700::1]:8888", ProxyAddress("2606:4700::1", 8888)),
    ],
)
def test_proxies_are_read(text: str, address: ProxyAddress) -> None:
    assert read_proxy(text) == address
    assert read_proxy(address.url) == ProxyAddress(address.host, address.port)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "proxy.example.com:3128",
        "https://proxy.example.com",
        "socks5://proxy.example.com",
        "http://",
        "http://:3128",
        "http://proxy.example.com:0",
        "http://proxy.example.com:99999",
        "http://proxy.example.com/path",
        "http://proxy.example.com?a=b",
        "http://proxy.example.com#a",
        "http://a%3Ab:c@proxy.example.com",
        "http://[::1",
    ],
)
def test_bi42_what_is_no_proxy_is_told_without_repeating_it(text: str) -> None:
    told = read_proxy(text)
    assert isinstance(told, str)
    assert "proxy.example.com" not in told


def test_password_of_a_proxy_shows_nowhere() -> None:
    address = read_proxy("http://me:s3cret@proxy.example.com")
    assert "s3cret" not in repr(address)
    settings = Settings.model_validate({"proxy_url": "http://me:s3cret@proxy.example.com"})
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in str(reference(settings))


def test_proxy_that_cannot_be_read_stops_the_start() -> None:
    with pytest.raises(ValidationError, match="http://"):
        Settings.model_validate({"proxy_url": "https://me:s3cret@proxy.example.com"})


@pytest.mark.parametrize(
    ("name", "value"), [("allow_ports", "0"), ("deny_ports", "65536"), ("deny_networks", "10.0.0")]
)
def test_bi42_operators_list_that_cannot_be_read_stops_the_start(name: str, value: str) -> None:
    with pytest.raises(ValidationError, match=name):
        Settings.model_validate({name: value})
