"""URLs that notifications may go to, judged by their text."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from dispatcher.policy.addresses.networks import REFUSED_IPV4, REFUSED_IPV6
from dispatcher.policy.addresses.urls import Ports, check_url, url_refusal

LOOPBACK = (ip_network("127.0.0.0/8"),)


def reason(url: str) -> str | None:
    return url_refusal(url, require_https=False)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/notifications",
        "http://dummmy.url/api/token",
        "HTTPS://EXAMPLE.com",
        "https://example.com.",
        "https://example.com:8443/a?b=c%20d&e=@",
        "https://bücher.example.com/",
        "https://xn--bcher-kva.example.com/",
        "https://93.184.216.34/hook",
        "https://[2606:4700::1111]:443/hook",
        "https://a_b.example.com/",
        "https://{Subdomain}.example.com/{Region}/hook",
        "https://{Host}/hook",
        "https://example.com/" + "a" * 2028,
    ],
)
def test_ordinary_urls_and_templates_pass(url: str) -> None:
    assert reason(url) is None


SPELLINGS = {
    "loopback": [
        "http://127.0.0.1/",
        "http://127.0.0.1./",
        "http://127.1/",
        "http://127.0.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0X7F000001/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://017700000001/",
        "http://①②⑦.⓪.⓪.①/",
        "http://127。0。0。1/",
        "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://a.localhost/",
        "http://[::1]/",
        "http://[0:0:0:0:0:0:0:1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[::127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
    ],
    "metadata": ["http://169.254.169.254/latest/", "http://0xa9fea9fe/", "http://[fd00:ec2::254]/"],
    "ambiguous_address": [
        "http://8.8.2056/",
        "http://010.8.8.8/",
        "http://1.2.3.4.5/",
        "http://1.256.1.1/",
        "http://a.1/",
    ],
    "userinfo": ["https://user@example.com/", "https://a:b@example.com/", "https://example.com@127.0.0.1/"],
    "characters": [
        "https://example.com/a b",
        "https://exa\tmple.com/",
        "https://example.com\r\n/",
        " https://example.com/",
        "https://example.com\\@127.0.0.1/",
        "https://example.com/\x00",
        "https://example.com/\u2028",
        "https://example.com/\u200b",
        "https://example.com/\ud800",
        "https://example.com/\u3000",
    ],
    "fragment": ["https://example.com/#a", "https://example.com#@127.0.0.1/"],
    "scheme": ["ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "{Scheme}://example.com/"],
    "malformed": [
        "",
        "example.com",
        "https:example.com",
        "//example.com/",
        "https://",
        "https:///path",
        "https://xn--/",
        "https://a..example.com/",
        "https://-a.example.com/",
        "https://[::1/",
        "https://[zz]/",
        "https://example.com:x/",
        "https://example.com:99999/",
        "https://example.com:{Port}/",
        "https://" + "a" * 64 + ".example.com/",
        "https://exa%6dple.com/",
    ],
    "port": [f"https://example.com:{port}/" for port in (0, 22, 25, 81, 1023, 3306, 5432, 6379, 9200, 11211, 27017)],
    "single_label_host": ["https://intranet-host/", "https://redis/"],
    "special_name": [
        f"https://a.{suffix}/"
        for suffix in ("internal", "local", "home.arpa", "onion", "test", "invalid", "lan", "Internal.")
    ],
    "too_long": ["https://example.com/" + "a" * 2029],
}


@pytest.mark.parametrize(("expected", "url"), [(key, url) for key, urls in SPELLINGS.items() for url in urls])
def test_bi42_refused_spellings(expected: str, url: str) -> None:
    assert reason(url) == expected


@pytest.mark.parametrize(("cidr", "_reason"), REFUSED_IPV4)
def test_bi42_every_refused_ipv4_network_in_every_spelling(cidr: str, _reason: str) -> None:
    ip = ip_network(cidr)[0]
    parts = str(ip).split(".")
    spellings = [
        str(ip),
        str(int(ip)),
        hex(int(ip)),
        "0" + oct(int(ip))[2:],
        ".".join(hex(int(part)) for part in parts),
    ]
    for spelling in [*spellings, f"[::ffff:{ip}]", f"[64:ff9b::{ip}]"]:
        problem = check_url(f"http://{spelling}/", require_https=False, field="createUrl")
        assert problem is not None, spelling
        assert problem.code == "url_not_allowed"
        assert str(ip) not in problem.message


@pytest.mark.parametrize(("cidr", "_reason"), REFUSED_IPV6)
def test_bi42_every_refused_ipv6_network(cidr: str, _reason: str) -> None:
    network = ip_network(cidr)
    for ip in (network[0], network[-1]):
        assert reason(f"https://[{ip}]/") is not None
        assert reason(f"https://[{ip.exploded}]:8443/") is not None


def test_bi43_idna_that_cannot_be_decoded_is_an_answer_not_a_crash() -> None:
    problem = check_url("https://xn--/", require_https=False, field="createUrl")
    assert problem is not None
    assert (problem.code, problem.field) == ("url_not_allowed", "createUrl")


def test_https_can_be_required() -> None:
    assert url_refusal("http://example.com/", require_https=True) == "https_required"
    assert url_refusal("https://example.com/", require_https=True) is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:8099/", "http://localhost:8099/", "http://product-host:8099/"])
def test_an_allowed_network_opens_its_addresses_and_internal_names(url: str) -> None:
    assert reason(url) is not None
    assert url_refusal(url, require_https=False, allow_networks=LOOPBACK) is None


def test_an_allowed_network_opens_no_other_address() -> None:
    assert url_refusal("http://10.0.0.1/", require_https=False, allow_networks=LOOPBACK) == "private"
    others = (ip_network("10.0.0.0/8"),)
    assert url_refusal("http://localhost/", require_https=False, allow_networks=others) == "loopback"


def test_bi42_operators_change_the_ports() -> None:
    ports = Ports(allowed=frozenset({81}), refused=frozenset({8443}))
    assert url_refusal("https://example.com:81/", require_https=False, ports=ports) is None
    assert url_refusal("https://example.com:8443/", require_https=False, ports=ports) == "port"


def test_bi42_denied_port_is_refused_even_inside_an_allowed_network() -> None:
    ports = Ports(allowed=frozenset({8099}), denied=frozenset({8099, 443}))
    for url in ("http://127.0.0.1:8099/", "https://example.com/", "https://example.com:8099/"):
        assert url_refusal(url, require_https=False, allow_networks=LOOPBACK, ports=ports) == "port"


def test_bi42_denied_network_is_refused_by_its_literal() -> None:
    denied = (ip_network("93.184.216.0/24"),)
    for url in ("https://93.184.216.34/", "https://[::ffff:93.184.216.34]/"):
        problem = check_url(url, require_https=False, deny_networks=denied)
        assert problem is not None
        assert "denied_network" in problem.message
        assert "93.184" not in problem.message
    assert url_refusal("https://93.184.217.34/", require_https=False, deny_networks=denied) is None


@pytest.mark.parametrize(
    "host",
    ["①②⑦.⓪.⓪.①", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "127。0。0。1", "127.0.0.1", "%31%32%37.0.0.1", "1②7.0.0.1", "ＬＯＣＡＬＨＯＳＴ"],
)
def test_bi42_spellings_are_judged_as_the_client_reads_them(host: str) -> None:
    assert reason(f"http://{host}/") is not None
