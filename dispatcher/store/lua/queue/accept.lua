-- prelude: queue
-- at maxmemory: refused before it wrote anything
-- accept: write events, give each its place in lane and group, wake the owners. One round trip for many.
--
-- KEYS: `{pN}:own` of each partition, in a cluster one at a time; then the key that is never there
-- ARGV: per partition, in the order of KEYS: how many events, then id, document of each
-- Returns per event: sequence, created ms, 1 if it had been accepted before.
-- Idempotent by id: a repeat after a lost reply writes nothing and answers the same.
local answer

local function receipt(sequence, created_ms, seen)
  answer[#answer + 1] = sequence
  answer[#answer + 1] = created_ms
  answer[#answer + 1] = seen
end

local function write(ARGV, from, to)
  local touched, fresh = {}, 0
  for i = from, to, 2 do
    local sequence = admit(ARGV[i], ARGV[i + 1], touched)
    if sequence then
      fresh = fresh + 1
      receipt(sequence, NOW, 0)
    else
      local _, stored = read_event(ARGV[i])
      local state = stored and decoded(stored) or {}
      receipt(state.q or 0, state.c or NOW, 1)
    end
  end
  if fresh == 0 then return end
  add('accepted', fresh)
  flush()
  raise(touched)
  nudge()
end

local function accept(ARGV, KEYS)
  local at = 1
  answer = {}
  for i = 1, #KEYS - 1 do
    enter(KEYS[i])
    local last = at + 2 * tonumber(ARGV[at])
    write(ARGV, at + 1, last)
    at = last + 1
  end
  return answer
end
