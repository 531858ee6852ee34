"""Headers of a delivery to an account's own host, or with its own value. Opens no secret, sends nothing."""

from __future__ import annotations

from worker.delivery.targets.target import Target


def open_headers(target: Target) -> dict[str, str]:
    """Headers that may go to any host: none of them is secret."""
    shown = {header.name: header.value for header in target.revision.headers if not header.secret}
    return {**shown, "Content-Type": "application/json"}


def authorise_for_account(headers: dict[str, str], header: tuple[str, str] | None) -> None:
    """Nothing of the publisher's authorizes beside the account's own value, or in its place."""
    replaced = {"authorization"} | ({header[0].lower()} if header else set())
    for name in [one for one in headers if one.lower() in replaced]:
        del headers[name]
    if header is not None:
        headers[header[0]] = header[1]
