-- prelude: queue
-- at maxmemory: refused before it wrote anything
-- parts: queue/claim
-- accept: write events, give each its place in lane and group, give them to sleeping owners or wake these. One round trip for many.
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

-- An owner that sleeps and has room is given what is due: claimed for it here, so that it need not be woken to ask. What
-- nobody hears of is due again. True when there is nothing more to tell it. The message, in one line: partition, generation,
-- now ms, ms when something is next due or -1, and the size of each part of the claimed rows; then the parts.
local MOST_BYTES, FIRST, WIDTH = 65536, 5, 6
local function give(wanted)
  local own = ownership()
  local under, up_to = string.match(own[5] or '', '^(%d+) (%d+)$')
  local room = tonumber(up_to or 0) - tonumber(own[6] or 0)
  if own[3] ~= '1' or under ~= own[1] or room <= 0 or tonumber(own[2] or 0) <= NOW then return false end
  local good, claimed = pcall(claim, { own[1], 0, math.min(wanted, room), '', 0, MOST_BYTES, 1, own[5] })
  if not good or #claimed < FIRST then return false end
  local line, rows, given = {}, {}, (#claimed - FIRST + 1) / WIDTH
  for i = FIRST, #claimed do
    rows[#rows + 1] = tostring(claimed[i])
    line[#line + 1] = #rows[#rows]
  end
  local head = string.format('%s %s %.0f %.0f ', string.match(P, '%d+'), own[1], NOW, claimed[3])
  if call('PUBLISH', nudge_channel(own[4]), head .. table.concat(line, ' ') .. '\n' .. table.concat(rows)) == 0 then
    for i = FIRST, #claimed, WIDTH do return_claim(claimed[i], tostring(claimed[i + 1]), '') end
    return false
  end
  call('HINCRBY', OWN, 'given', given)
  return given == wanted and (claimed[3] < 0 or claimed[3] > NOW)
end

local function write(ARGV, from, to)
  local touched, fresh, size = {}, 0, 0
  for i = from, to, 2 do
    local sequence = admit(ARGV[i], ARGV[i + 1], touched)
    if sequence then
      fresh, size = fresh + 1, size + #ARGV[i + 1]
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
  if size > MOST_BYTES or not give(fresh) then nudge() end
end

local function accept(ARGV, KEYS)
  local at = 1
  answer = {}
  for i = 1, #KEYS - 1 do
    enter_anew(KEYS[i])
    local last = at + 2 * tonumber(ARGV[at])
    write(ARGV, at + 1, last)
    at = last + 1
  end
  return answer
end
