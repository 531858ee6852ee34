"""The life of an installation as a table of what each happening makes of it. Pure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dispatcher.model.installation import MODES, Act, Installation, InstallStep, Mode, Standing
from dispatcher.policy.installing.rules import (
    Moment,
    act_id,
    begun,
    followed_by,
    order_ended,
    order_lost,
    order_refused,
    order_repeated,
    ordered_elsewhere,
    pushed,
    removed,
    settings_changed,
    step_called,
    step_refused,
    step_undone,
    steps_updated,
    uninstalling,
    unlocked,
    with_steps,
)

AT = Moment(1_700_000_000_000, 3)
ONE = InstallStep("One", installer_function="check1", uninstaller_function="undo1")
TWO = InstallStep("Two", installer_function="check2", uninstaller_function="undo2")
QUIET = InstallStep("Quiet", installer_function="check3")
NEW = Installation("i-1", "A", "n", 1, 1, connector_id="c", integration_id="I", revision=1, marketplace_id=27)


def done(*steps: InstallStep) -> tuple[InstallStep, ...]:
    return tuple(replace(step, completed=True) for step in steps)


INSTALLED = order_ended(begun(NEW, AT).needed, "host-1", AT).needed


def test_without_steps_it_is_ordered_at_once() -> None:
    moved = begun(NEW, AT)
    assert moved.acts == (Act.ORDER,)
    assert (moved.needed.mode, moved.needed.standing) == (Mode.SETTINGS, Standing.SETTING_UP)
    assert moved.needed.order_event_id == moved.needed.pending_event_id == act_id("i-1", 1, Act.ORDER, AT)


def test_with_open_steps_nothing_is_told() -> None:
    moved = begun(replace(NEW, install=(ONE,)), AT)
    assert (moved.acts, moved.needed.mode) == ((), Mode.INSTALL)


@pytest.mark.parametrize("installation", [replace(NEW, connector_id=None, integration_id=None)])
def test_a_diy_integration_goes_nowhere(installation: Installation) -> None:
    assert begun(installation, AT).needed == installation


def test_without_a_known_definition_there_is_nobody_to_tell() -> None:
    moved = begun(replace(NEW, integration_id=None), AT)
    assert (moved.acts, moved.needed.mode, moved.needed.standing) == ((), Mode.SETTINGS, Standing.INSTALLED)
    assert removed(moved.needed, AT).acts == ()


def test_the_last_step_orders_and_no_later_word_does_it_again() -> None:
    called = step_called(replace(NEW, install=(*done(ONE), TWO)), TWO, AT)
    assert called.acts == (Act.INSTALL_STEP,)
    moved = steps_updated(called.needed, {"check2": True}, AT)
    assert moved.acts == (Act.ORDER,)
    assert moved.needed.transitions == 2
    again = steps_updated(moved.needed, {"check2": True, "check1": False}, AT)
    assert again.acts == ()
    assert again.needed.mode is Mode.SETTINGS


def test_a_host_may_name_other_steps_and_none_of_them_is_made_up() -> None:
    moved = steps_updated(replace(NEW, install=(ONE, TWO)), {"check2": True, "unknown": True}, AT)
    assert [step.completed for step in moved.needed.install] == [False, True]


def test_a_refused_step_stays_open_with_its_words() -> None:
    called = step_called(replace(NEW, install=(ONE,)), ONE, AT).needed
    moved = step_refused(called, "no such store")
    assert (moved.acts, moved.needed.pending_event_id, moved.needed.standing_text) == ((), None, "no such store")
    assert moved.needed.next_step == ONE


def test_it_is_reported_once_that_it_is_installed() -> None:
    ordered = begun(NEW, AT).needed
    moved = order_ended(ordered, "host-1", AT)
    assert moved.acts == (Act.INSTALLED,)
    assert (moved.needed.account_identifier, moved.needed.pending_event_id) == ("host-1", None)
    assert order_ended(replace(moved.needed, standing=Standing.SETTING_UP), None, AT).acts == ()
    assert order_ended(replace(ordered, marketplace_id=None), None, AT).acts == ()


def test_a_refused_order_can_be_repeated_and_cancels_nothing() -> None:
    refused = order_refused(begun(NEW, AT).needed, "no seats").needed
    assert (refused.standing, refused.standing_text, refused.active) == (Standing.REFUSED, "no seats", False)
    assert refused.pending_event_id == refused.order_event_id
    assert removed(refused, AT).acts == ()
    assert uninstalling(refused, AT).acts == ()
    repeated = order_repeated(refused).needed
    assert (repeated.standing, repeated.pending_event_id) == (Standing.SETTING_UP, refused.order_event_id)
    assert order_lost(repeated).needed.pending_event_id is None


def test_only_what_the_host_has_is_changed_and_cancelled() -> None:
    assert settings_changed(INSTALLED, replace(INSTALLED, settings=1), AT).acts == (Act.CHANGE,)
    installing = begun(replace(NEW, install=(ONE,)), AT).needed
    assert settings_changed(installing, replace(installing, settings=1), AT).acts == ()
    assert removed(installing, AT).acts == ()
    assert removed(INSTALLED, AT).acts == (Act.CANCEL, Act.UNINSTALLED)


def test_uninstalling_undoes_the_newest_first_and_asks_only_about_steps_with_a_function() -> None:
    leaving = uninstalling(replace(INSTALLED, install=done(ONE, QUIET, TWO)), AT)
    assert (leaving.acts, leaving.step) == ((Act.UNINSTALL_STEP,), done(TWO)[0])
    assert uninstalling(leaving.needed, AT).acts == ()
    following = step_undone(leaving.needed, "undo2", AT)
    assert (following.acts, following.step) == ((Act.UNINSTALL_STEP,), done(ONE)[0])
    assert [step.completed for step in following.needed.install] == [True, False, False]
    last = step_undone(following.needed, "undo1", AT)
    assert (last.installation, last.acts) == (None, (Act.CANCEL, Act.UNINSTALLED))


def test_an_uninstaller_that_was_refused_is_asked_again() -> None:
    leaving = uninstalling(replace(INSTALLED, install=done(ONE)), AT).needed
    refused = step_refused(leaving, "still used").needed
    again = uninstalling(refused, AT)
    assert again.acts == (Act.UNINSTALL_STEP,)
    assert again.needed.pending_event_id != leaving.pending_event_id
    assert step_undone(again.needed, "undo1", AT).acts == (Act.CANCEL, Act.UNINSTALLED)


def test_an_update_locks_and_its_end_lets_go() -> None:
    locked = pushed(INSTALLED, 2, AT)
    assert (locked.acts, locked.needed.revision, locked.needed.locked_ms) == ((Act.LOCK,), 2, AT.now_ms)
    assert pushed(locked.needed, None, replace(AT, now_ms=AT.now_ms + 5)).needed.locked_ms == AT.now_ms
    assert unlocked(locked.needed, AT).acts == (Act.UNLOCK,)
    assert removed(locked.needed, AT).acts == (Act.UNLOCK, Act.CANCEL, Act.UNINSTALLED)


def test_steps_and_the_end_of_an_update_are_one_transition() -> None:
    locked = pushed(replace(NEW, install=(ONE,)), 2, AT).needed
    first = with_steps(locked, lambda step: replace(step, completed=True), AT)
    both = followed_by(first, unlocked(first.needed, AT))
    assert both.acts == (Act.ORDER, Act.UNLOCK)
    assert both.needed.transitions == locked.transitions + 1
    assert both.needed.order_event_id == act_id("i-1", both.needed.transitions, Act.ORDER, AT)


def test_what_somebody_else_ordered_is_not_ordered_again() -> None:
    waiting = ordered_elsewhere(replace(NEW, install=(ONE,)), "their-order").needed
    moved = steps_updated(waiting, {"check1": True}, AT)
    assert (moved.acts, moved.needed.pending_event_id) == ((), "their-order")
    assert moved.needed.standing is Standing.SETTING_UP


def test_every_mode_leads_only_where_the_table_says() -> None:
    assert MODES[Mode.INSTALL] == {Mode.SETTINGS, Mode.UNINSTALL}
    assert MODES[Mode.SETTINGS] == {Mode.UNINSTALL}
    assert MODES[Mode.UNINSTALL] == frozenset()


def test_ids_of_events_follow_from_the_transition() -> None:
    assert begun(NEW, AT).needed.order_event_id == begun(NEW, AT).needed.order_event_id
    assert act_id("i-1", 1, Act.ORDER, AT) != act_id("i-1", 2, Act.ORDER, AT)
    assert act_id("i-1", 1, Act.ORDER, AT) != act_id("i-1", 1, Act.CHANGE, AT)
    assert act_id("i-1", 1, Act.ORDER, AT)[-3:] == "003"
