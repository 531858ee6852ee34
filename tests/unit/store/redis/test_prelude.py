"""The part of its prelude that a script is given."""

from __future__ import annotations

from dispatcher.store.redis.prelude import needed

PRELUDE = """-- Words.

local call = redis.call
local A, B
local function enter(key)
  A, B = key, key
end
enter(KEYS[1])

-- Twice.
local function twice(n) return 2 * n end
local function four()
  local two = twice(1)

  return twice(two)
end
local function log() call('XADD', A) end
"""
ENTERED = "local A, B\nlocal function enter(key)\n  A, B = key, key\nend\nenter(KEYS[1])\n"


def test_what_makes_nothing_is_always_there_and_all_that_it_names() -> None:
    assert needed(PRELUDE, "return 1") == ENTERED


def test_a_script_has_what_it_names_and_what_that_names_in_the_order_of_the_prelude() -> None:
    twice = "local function twice(n) return 2 * n end\n"
    four = "local function four()\n  local two = twice(1)\n\n  return twice(two)\nend\n"
    assert needed(PRELUDE, "return four()") == ENTERED + twice + four
    assert needed(PRELUDE, "return twice(4)") == ENTERED + twice
    log = "local function log() call('XADD', A) end\n"
    assert needed(PRELUDE, "log()") == "local call = redis.call\n" + ENTERED + log
