-- prelude: queue
-- at maxmemory: runs, since it takes work off Redis or lets it go on
-- claim: take due work of many lanes, longest waiting lane first, never more of a lane than it may run.
--
-- ARGV: as named below. Returns {'lost'} when the generation moved on, else {'ok', now ms, ms when something is next due
-- or -1, events that were given unasked under this generation}, and one row after another as named in `launch`.
-- flags: any of 'o' some URL of the lane is suspended, or was and has not answered since, 'r' its rate is limited, 'f' no token can be had, 'c' its circuit
-- is or was open, 's' its tenant's share of a worker was used up; or 'h' the head of a run, whose others come behind all heads,
-- in the order of these: 'm' one of them, 'l' its last.
-- Renews the lease when less of it is left. When nothing is left to claim now, the owner is marked asleep in the same
-- step, so that an accept that comes later wakes it: no wake-up can be lost in between.
-- It ends before the document with which it would hand out more than `at_most_bytes`, if that is not the first.
-- With places left, a head that nothing holds back is extended to a run of up to `run` events; 1 = none is.
-- `room`: while the owner sleeps, accepts give it events unasked under `generation up-to`, until it was given so many.
-- Without a `default_cap` a lane that was never claimed from, or not by this owner, is left to it.
local left, left_bytes, new_cap, most_of_run
local answer, launched, heads

-- GCRA (generic cell rate algorithm): how many of `wanted` the rate allows now, and when the next may go.
local function within_rate(lane, rate, tat, wanted)
  local gap = 1000 / rate
  local slack = math.max(gap, 50)
  local from = math.max(tat, NOW)
  -- A time in milliseconds has no room for fractions of a gap: only what is left of it is added up.
  local allowed = math.min(wanted, math.floor((slack + (NOW - from)) / gap + 0.001))
  if allowed < 0 then allowed = 0 end
  local next_tat = from + allowed * gap
  call('HSET', lane_key(lane), 'tat', string.format('%.3f', next_tat))
  return allowed, math.ceil(next_tat + gap - slack)
end

-- Take up to `wanted` that are due out of the lane, and tell when the one behind them is due.
-- Most lanes have one: it takes one command. Each further one asks for twice as many, so no more are put back than taken.
local function due_ids(lane, wanted)
  local ids, early, times, n = {}, {}, {}, 2
  while #ids < wanted do
    n = math.min(n, wanted - #ids)
    local popped = call('ZPOPMIN', due_key(lane), n)
    for i = 1, #popped, 2 do
      if tonumber(popped[i + 1]) > NOW then
        early[#early + 1], early[#early + 2] = popped[i + 1], popped[i]
      else
        ids[#ids + 1] = popped[i]
        times[#ids] = popped[i + 1]
      end
    end
    if #early > 0 then
      in_chunks(early, function(...) call('ZADD', due_key(lane), ...) end)
      return ids, tonumber(early[1]), times
    end
    if #popped < n * 2 then return ids, nil, times end
    n = math.min(n * 2, 500)
  end
  return ids, first_due(lane), times
end

-- These ids, from the i-th on, are due again as they were.
local function put_back(lane, ids, times, i)
  local due_again = {}
  for j = i, #ids do due_again[#due_again + 1], due_again[#due_again + 2] = times[j], ids[j] end
  in_chunks(due_again, function(...) call('ZADD', due_key(lane), ...) end)
end

-- Put an event aside whose group is locked: `lock` makes it due again.
local function put_aside(id, document, stored, lane, group)
  local state = decoded(stored)
  state.s, state.e, state.m, state.d = 'HELD', 'LOCKED', nil, nil
  save(event_key(id), state)
  call('ZADD', parked_key(lane), NOW, id)
  log_change(id, 'HELD', type_of(document), lane, group, state.n or 0, '')
end

-- Hand these events of a lane out; one that cannot be read is left to `repair`, one of a locked group is put aside.
-- Returns how many, and when the first is due that the bytes did not suffice for.
local function launch(lane, ids, times, flags, locks, extends)
  local taken, rest = 0, nil
  for i, id in ipairs(ids) do
    local document, state = read_event(id)
    local in_lane, group = header(document or '')
    if state and in_lane == lane and locks and #holders(lane, group) > 0 then
      put_aside(id, document, state, lane, group)
    elseif state and in_lane == lane then
      local size = size_of(document, lane, group)
      if size > left_bytes and #launched > 0 then
        put_back(lane, ids, times, i)
        rest = tonumber(times[i])
        break
      end
      left_bytes = left_bytes - size
      local n = tonumber(string.match(state, '"n":(%d+)') or 0) + 1
      local account_identifier = identifier_for(document, lane, group)
      launched[#launched + 1] = id
      launched[#launched + 1] = n
      local a = #answer
      answer[a + 1], answer[a + 2], answer[a + 3], answer[a + 4], answer[a + 5], answer[a + 6]
        = id, n, document, state, account_identifier, flags
      taken = taken + 1
      if extends and n == 1 and group ~= '' and string.byte(group) ~= 2 then
        heads[#heads + 1] = { lane, group, size, installation_of(document) or '', account_identifier, #launched, a + 6 }
      end
    end
  end
  if taken > 0 then call('HINCRBY', lane_key(lane), 'busy', taken) end
  return taken, rest
end

local function take(lane)
  local c = lane_state(lane)
  if c.paused then
    if paused_since(c) then return rank(lane, c, first_due(lane)) end
    end_pause(lane)
    c.paused = nil
  end
  if not c.cap and new_cap ~= '' then
    c.cap = new_cap
    call('HSET', lane_key(lane), 'cap', c.cap)
  end
  local busy = tonumber(c.busy or 0)
  local wanted = math.min(left, tonumber(c.cap or 0) - busy)
  if wanted <= 0 then return rank(lane, c, first_due(lane)) end
  local not_before = 0
  if c.rate then
    wanted = math.min(wanted, call('ZCOUNT', due_key(lane), '-inf', NOW))
    wanted, not_before = within_rate(lane, tonumber(c.rate), tonumber(c.tat or 0), wanted)
  end
  local ids, head, times = due_ids(lane, wanted)
  if #ids > 0 then
    local flags = ((c.off or c.left or c.half) and 'o' or '') .. (c.rate and 'r' or '') .. (c.failing and 'f' or '') .. ((c.circuit or c.opened) and 'c' or '')
      .. (c.crowded and 's' or '')
    local extends = most_of_run > 1 and flags == '' and not c.slow and tonumber(c.behind or 0) > 0
    local taken, rest = launch(lane, ids, times, flags, c.locks, extends)
    left, head = rest and 0 or left - taken, rest or head
    c.busy = busy + taken
  end
  rank(lane, c, head and math.max(head, not_before))
end

-- Document, state and size of an event that may follow in a run: its first try, and of the same installation as the head.
local function follower(id, lane, group, installation)
  local document, state = read_event(id)
  local in_lane, in_group = header(document or '')
  if not state or in_lane ~= lane or in_group ~= group or (installation_of(document) or '') ~= installation then return nil end
  if string.find(state, '"n":', 1, true) or not string.find(state, '"s":"QUEUED"', 1, true) then return nil end
  return document, state, size_of(document, lane, group)
end

-- Make a run of a head that was handed out, and of those that come next.
local MOST_BYTES = 262144
local function extend(lane, group, head_size, installation, account_identifier, number_at, flags_at)
  local room, length = math.min(left_bytes, MOST_BYTES - head_size), 0
  local ids = call('LRANGE', group_key(lane, group), 0, math.min(most_of_run, left + 1) - 1)
  local flown = ids[2] and ids[1] == launched[number_at - 1] and ask('HMGET', FLIGHT, ids) or {}
  for i = 2, #flown do
    local document, state, size = follower(ids[i], lane, group, installation)
    if not document or flown[i] or size > room then break end
    room, left_bytes, length = room - size, left_bytes - size, length + 1
    launched[#launched + 1] = ids[i]
    launched[#launched + 1] = '1' .. FOLLOWED
    for _, part in ipairs({ ids[i], 1, document, state, account_identifier, 'm' }) do answer[#answer + 1] = part end
  end
  if length == 0 then return end
  left = left - length
  launched[number_at], launched[#launched] = '1' .. FOLLOWED, '1' .. LAST
  answer[flags_at], answer[#answer] = 'h', 'l'
  step_back(lane, -length)
end

-- Due lanes in turn, until none is left or nothing more may be taken. Returns the first lane that is waited for, and when.
local function take_in_turn(was_asleep)
  while true do
    local before = left
    for _, lane in ipairs(call('ZRANGE', LANES, '-inf', NOW, 'BYSCORE', 'LIMIT', 0, left)) do
      if left <= 0 then break end
      take(lane)
    end
    write_ranks()
    local first = call('ZRANGE', LANES, 0, 0, 'WITHSCORES')
    local drained = not first[2] or first[2] == 'inf' or tonumber(first[2]) > NOW
    if drained and not was_asleep then call('HSET', OWN, 'asleep', '1') end
    if drained or left <= 0 or left == before then return first[2] end
  end
end

local function claim(ARGV)
  local generation, lease_ms, at_most, default_cap, least_lease_ms, at_most_bytes, run, room = unpack(ARGV)
  local own = ownership()
  if own[1] ~= generation then return { 'lost' } end
  if tonumber(own[2] or 0) - NOW < tonumber(least_lease_ms) then call('HSET', OWN, 'until', NOW + tonumber(lease_ms)) end
  if own[5] ~= room then call('HSET', OWN, 'room', room) end
  left, left_bytes, new_cap, most_of_run = tonumber(at_most), tonumber(at_most_bytes), default_cap, tonumber(run)
  answer, launched, heads = { 'ok', NOW, -1, tonumber(own[6] or 0) }, {}, {}
  local next_ms = take_in_turn(own[3] == '1')
  for _, head in ipairs(heads) do
    if left <= 0 then break end
    extend(unpack(head))
  end
  if #heads > 0 then flush() end
  in_chunks(launched, function(...) call('HSET', FLIGHT, ...) end)
  if next_ms and next_ms ~= 'inf' then answer[3] = tonumber(next_ms) end
  return answer
end
