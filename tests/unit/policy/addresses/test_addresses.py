"""Addresses that notifications may go to."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

import pytest

from dispatcher.policy.addresses.networks import REFUSED_IPV4, REFUSED_IPV6, embedded_ipv4, refusal

PUBLIC = ["8.8.8.8", "93.184.216.34", "1.1.1.1", "172.32.0.1", "172.15.255.255", "100.63.255.255", "11.0.0.1"]
PUBLIC_V6 = ["2606:4700::1111", "2a00:1450::1", "2400:cb00::1", "2001:200::1", "3ffe::1", "2606:4700::400:5efe:a00:1"]


@pytest.mark.parametrize("address", PUBLIC + PUBLIC_V6)
def test_public_addresses_pass(address: str) -> None:
    assert refusal(ip_address(address)) is None


@pytest.mark.parametrize(("cidr", "reason"), REFUSED_IPV4 + REFUSED_IPV6)
def test_bi42_first_and_last_address_of_every_refused_network(cidr: str, reason: str) -> None:
    network = ip_network(cidr)
    assert refusal(network[0]) is not None
    assert refusal(network[-1]) is not None


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("0.0.0.0", "unspecified"),
        ("10.1.2.3", "private"),
        ("100.64.0.1", "carrier_nat"),
        ("127.0.0.1", "loopback"),
        ("169.254.169.254", "metadata"),
        ("169.254.1.1", "link_local"),
        ("172.16.0.1", "private"),
        ("192.168.1.1", "private"),
        ("192.0.2.1", "documentation"),
        ("192.88.99.1", "reserved"),
        ("198.18.0.1", "benchmark"),
        ("224.0.0.1", "multicast"),
        ("255.255.255.255", "broadcast"),
        ("168.63.129.16", "metadata"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("fd00::1", "private"),
        ("fd00:ec2::254", "metadata"),
        ("fe80::1", "link_local"),
        ("fe80::1%eth0", "link_local"),
        ("fec0::1", "site_local"),
        ("ff02::1", "multicast"),
        ("2001:db8::1", "documentation"),
        ("3fff::1", "documentation"),
        ("5f00::1", "reserved"),
        ("100::1", "discard"),
        ("4000::1", "not_global_unicast"),
        ("1::1", "not_global_unicast"),
    ],
)
def test_bi42_reason_classes(address: str, reason: str) -> None:
    assert refusal(ip_address(address)) == reason


@pytest.mark.parametrize(
    "address",
    [
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1",
        "2002:7f00:1::",
        "2002:7f00:1::abcd",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
        "2001:0:7f00:1::f7f7:f7f7",
        "2606:4700::5efe:7f00:1",
        "2606:4700::200:5efe:7f00:1",
        "2606:4700::100:5efe:7f00:1",
        "2606:4700::300:5efe:127.0.0.1",
        "2002:808:808::5efe:7f00:1",
    ],
)
def test_bi42_loopback_inside_ipv6_is_loopback(address: str) -> None:
    assert ip_address("127.0.0.1") in embedded_ipv4(IPv6Address(address))
    assert refusal(ip_address(address)) == "loopback"


@pytest.mark.parametrize(
    "address",
    [
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::1",
        "::8.8.8.8",
        "2606:4700::5efe:808:808",
        "::ffff:0:8.8.8.8",
    ],
)
def test_bi42_transition_addresses_are_refused_even_around_a_public_one(address: str) -> None:
    assert refusal(ip_address(address)) == "embedded_ipv4"


def test_bi42_a_local_nat64_prefix_is_read_as_48_bits_and_as_96() -> None:
    for written in ("64:ff9b:1:5db8:d8:2200::", "64:ff9b:1::5db8:d822"):
        assert ip_address("93.184.216.34") in embedded_ipv4(IPv6Address(written))
        assert refusal(ip_address(written), own=(ip_address("93.184.216.34"),)) == "own_address"


def test_allowed_networks_win() -> None:
    networks = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
    assert refusal(ip_address("10.1.2.3"), networks) is None
    assert refusal(ip_address("fd12::1"), networks) is None
    assert refusal(ip_address("::ffff:10.1.2.3"), networks) is None
    assert refusal(ip_address("127.0.0.1"), networks) == "loopback"
    assert refusal(ip_address("64:ff9b::a01:203"), networks) == "private"


def test_bi42_own_addresses_are_refused_unless_allowed() -> None:
    own = (ip_address("93.184.216.34"),)
    assert refusal(own[0], own=own) == "own_address"
    assert refusal(ip_address("::ffff:93.184.216.34"), own=own) == "own_address"
    assert refusal(own[0], (ip_network("93.184.216.0/24"),), own) is None


@pytest.mark.parametrize(
    "address",
    [
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "::127.0.0.1",
        "fec0::1",
        "3fff::1",
        "5f00::1",
        "192.88.99.1",
        "168.63.129.16",
    ],
)
def test_bi42_addresses_that_the_standard_library_calls_global_are_refused(address: str) -> None:
    assert refusal(ip_address(address)) is not None


def test_bi42_denied_networks_win_over_everything() -> None:
    denied = (ip_network("93.184.0.0/16"), ip_network("2606:4700::/32"), ip_network("10.9.0.0/16"))
    for address in (
        "93.184.216.34",
        "2606:4700::1",
        "::ffff:93.184.216.34",
        "64:ff9b::5db8:d822",
        "2a00::5efe:5db8:d822",
    ):
        allowed = (ip_network("0.0.0.0/0"), ip_network("::/0"))
        assert refusal(ip_address(address), allowed, deny_networks=denied) == "denied_network"
    assert refusal(ip_address("10.9.0.1"), (ip_network("10.0.0.0/8"),), deny_networks=denied) == "denied_network"
    assert refusal(ip_address("10.8.0.1"), (ip_network("10.0.0.0/8"),), deny_networks=denied) is None
    assert refusal(ip_address("8.8.8.8"), deny_networks=denied) is None


@pytest.mark.parametrize(
    "written",
    [
        "::ffff:93.184.216.34",
        "64:ff9b::5db8:d822",
        "2002:5db8:d822::1",
        "2a00:1450::5efe:5db8:d822",
        "2001:0:5db8:d822::",
    ],
)
def test_bi42_own_address_inside_ipv6_is_own(written: str) -> None:
    assert refusal(ip_address(written), own=(ip_address("93.184.216.34"),)) == "own_address"
