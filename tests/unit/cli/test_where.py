"""``--where`` of verbs: what is wrong is marked where it is."""

from __future__ import annotations

import pytest
import typer

from dispatcher.cli.events.conditions import ChangeConditions, Conditions
from dispatcher.cli.events.where import checked

GAP = " " * 20


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("stauts:dead", "at 1: there is no field stauts; status?\n  stauts:dead\n  ^^^^^^"),
        (
            "account:ACME status:dad",
            f"at 21: there is no status dad; dead?\n  account:ACME status:dad\n  {GAP}^^^",
        ),
        (
            "account:日本 status:dad",
            f"at 19: there is no status dad; dead?\n  account:日本 status:dad\n  {GAP}^^^",
        ),
        ("a\x1b", "at 2: leave out control characters\n  a \n   ^"),
        ("status:", "at 8: status has no value here; write one, or leave the term out\n  status:\n         ^"),
    ],
)
def test_what_is_wrong_has_carets_under_it(text: str, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        checked(text)
    assert ended.value.exit_code == 2
    assert capsys.readouterr().err == f"error: {shown}\n"


def test_a_filter_goes_to_the_api_beside_the_other_conditions() -> None:
    text = "status:dead since:2h payload.order.id:4711"
    assert ChangeConditions(where=text).query() == {"q": text}
    assert Conditions(where=text, account="acme").body() == {"q": text, "accountId": "acme"}
