"""Reads the old spellings of IPv4 addresses: ``127.1``, ``0x7f000001``, ``017700000001``, ``2130706433``.

Resolvers disagree on them, so they are only read to say where they would lead; none is ever connected to.
"""

from __future__ import annotations

from ipaddress import IPv4Address

_HEX_DIGITS = frozenset("0123456789abcdef")
_MAX_PART_CHARS = 64


def looks_numeric(host: str) -> bool:
    """True when the last label is a number, so that the host is an address or nothing (WHATWG URL §3.5)."""
    last = host.rstrip(".").rpartition(".")[2]
    return last.isdigit() or (last.startswith("0x") and _HEX_DIGITS.issuperset(last[2:]))


def parse_legacy_ipv4(host: str) -> IPv4Address | None:
    """The address as ``inet_aton`` reads one to four decimal, octal or hexadecimal parts; None = none."""
    parts = host.removesuffix(".").split(".")
    if not 1 <= len(parts) <= 4:
        return None
    numbers = [_number(part) for part in parts]
    value = 0
    for number in numbers[:-1]:
        if number is None or number > 255:
            return None
        value = value << 8 | number
    last, last_bits = numbers[-1], 8 * (5 - len(parts))
    if last is None or last >> last_bits:
        return None
    return IPv4Address(value << last_bits | last)


def _number(text: str) -> int | None:
    base, digits = 10, text
    if text.startswith("0x"):
        base, digits = 16, text[2:] or "0"
    elif len(text) > 1 and text.startswith("0"):
        base, digits = 8, text[1:]
    if not digits.isascii() or len(digits) > _MAX_PART_CHARS:
        return None
    try:
        return int(digits, base) if digits.isalnum() else None
    except ValueError:
        return None
