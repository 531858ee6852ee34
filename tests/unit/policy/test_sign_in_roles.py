"""Roles of people by their groups elsewhere, as a setting gives them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from dispatcher.model.roles import Role
from dispatcher.policy.sign_in_roles import GroupRole, read_group_role, role_of
from dispatcher.settings import Settings


def test_groups_are_given_roles() -> None:
    assert read_group_role("ops=operator") == GroupRole("ops", Role.OPERATOR)
    assert read_group_role(" a=b = publisher:vendor-7 ") == GroupRole("a=b", Role.PUBLISHER, "vendor-7")


@pytest.mark.parametrize(
    "text",
    ["", "ops", "ops=", "=viewer", "ops=root", "ops=publisher", "ops=publisher:", "ops=viewer:x", "ops=marketplace"],
)
def test_what_gives_no_role_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="viewer, operator, admin"):
        read_group_role(text)


def test_the_order_of_the_setting_decides() -> None:
    known = [read_group_role("a=viewer"), read_group_role("b=admin")]
    found = role_of(["b", "a"], known)
    assert found is not None
    assert found.role is Role.VIEWER
    assert role_of(["c", "A"], known) is None


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"console_oidc_issuer": "http://login.example"}, "pattern"),
        ({"console_oidc_issuer": "https://login.example"}, "DISPATCHER_CONSOLE_OIDC_CLIENT_ID"),
        ({"console_oidc_issuer": "https://login.example", "console_oidc_client_id": "x"}, "nobody has a role"),
        ({"console_oidc_roles": "ops=root"}, "viewer, operator, admin"),
    ],
)
def test_settings_that_let_nobody_in_stop_the_start(changed: dict[str, str], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Settings(**changed)  # type: ignore[arg-type]
