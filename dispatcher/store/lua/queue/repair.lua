-- prelude: queue
-- at maxmemory: runs, since it takes work off Redis or lets it go on
-- repair: find what breaks the invariant among some open events and some of the log, and put it right.
--
-- ARGV: cursor into `open`, stream id to read the log from, how many of each
-- Returns {next cursor, next stream id, repairs made, what was repaired as name, count, …}.
-- In a healthy store it changes nothing: every repair is counted and should stay zero.
local repairs, total = {}, 0
local function repaired(what)
  repairs[what] = (repairs[what] or 0) + 1
  total = total + 1
  add('repairs:' .. what, 1)
end

-- The status that a state says; decoding all of it costs more than everything else that is asked of an event.
local function status_of(stored) return string.match(stored, '"s":"([A-Z_]+)"') end

local function placed(id, lane, group, status)
  if call('ZSCORE', due_key(lane), id) then
    if not call('ZSCORE', LANES, lane) then
      replace(lane)
      repaired('lane')
    end
    return true
  end
  if status == 'AWAITING_RESULT' then return call('ZSCORE', AWAITING, id) end
  if status == 'HELD' then return call('ZSCORE', parked_key(lane), id) end
  if group == '' then return false end
  local k = group_key(lane, group)
  local head = call('LINDEX', k, 0)
  return head and head ~= id and (call('LLEN', k) > 1000 or call('LPOS', k, id))
end

local function sequence_of(id)
  local _, state = read_event(id)
  return tonumber((state and decoded(state) or {}).q) or 0
end

-- Insert by sequence, whatever order the repairs come in; only an attempt in flight keeps the head.
local function into_group(id, lane, group, state)
  local k = group_key(lane, group)
  local head = call('LINDEX', k, 0)
  if not head then
    call('RPUSH', k, id)
    return true
  end
  local mine = tonumber(state.q) or 0
  for position, other in ipairs(call('LRANGE', k, 0, -1)) do
    if sequence_of(other) > mine and not (position == 1 and call('HEXISTS', FLIGHT, other) == 1) then
      call('LINSERT', k, 'BEFORE', other, id)
      call('HINCRBY', lane_key(lane), 'behind', 1)
      if position > 1 then return false end
      call('ZREM', due_key(lane), other)
      return true
    end
  end
  call('RPUSH', k, id)
  call('HINCRBY', lane_key(lane), 'behind', 1)
  return false
end

local function place(id, lane, group, state)
  if state.s == 'AWAITING_RESULT' then
    call('ZADD', AWAITING, state.w or NOW, id)
  elseif state.s == 'HELD' then
    call('ZADD', parked_key(lane), NOW, id)
  elseif group == '' or call('LINDEX', group_key(lane, group), 0) == id or into_group(id, lane, group, state) then
    call('ZADD', due_key(lane), state.d or NOW, id)
    replace(lane)
  end
  repaired('event')
end

local known = {}

-- `is_open`: in `open`.   `flying`: claimed.
local function check(id, is_open, flying)
  local doc, stored = read_event(id)
  local lane, group = header(doc or '')
  local status = stored and status_of(stored)
  if not status or lane == '' then return end
  local ended = TERMINAL[status] or false
  if ended == is_open then
    if not decoded(stored) then return end
    local list = ended and closed or opened
    list[#list + 1] = id
    repaired(ended and 'closed' or 'open')
  end
  if ended then return end
  known[lane] = true
  if flying or placed(id, lane, group, status) then return end
  local state = decoded(stored)
  if state then place(id, lane, group, state) end
end

local function check_all(ids, is_open)
  for i, flying in ipairs(ask('HMGET', FLIGHT, ids)) do check(ids[i], is_open, flying) end
end

-- What is in the log and not in `open` must have ended, or be gone; what is in both is checked as open.
local function lost(entries)
  local logged, ids = {}, {}
  for i, entry in ipairs(entries) do logged[i] = entry[2][2] end
  for i, is_open in ipairs(ask('SMISMEMBER', OPEN_EVENTS, logged)) do
    local stored = is_open == 0 and redis.pcall('HGET', event_key(logged[i]), 'state')
    if type(stored) == 'string' and not TERMINAL[status_of(stored)] then ids[#ids + 1] = logged[i] end
  end
  return ids
end

local page = call('SSCAN', OPEN_EVENTS, ARGV[1], 'COUNT', ARGV[3])
check_all(page[2], true)
local entries = call('XRANGE', EVENT_LOG, ARGV[2], '+', 'COUNT', ARGV[3])
check_all(lost(entries), false)
local following = #entries == tonumber(ARGV[3]) and '(' .. entries[#entries][1] or '-'
write_known(known)
flush()
if total > 0 then nudge() end
local answer = { page[1], following, total }
for what, n in pairs(repairs) do
  answer[#answer + 1] = what
  answer[#answer + 1] = n
end
return answer
