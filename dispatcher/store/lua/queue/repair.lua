-- prelude: queue
-- at maxmemory: runs, since it takes work off Redis or lets it go on
-- repair: find what breaks the invariant among some open events and some of the log, and put it right.
--
-- ARGV: cursor into `open`, stream id to read the log from, how many of each
-- Returns {next cursor, next stream id, repairs made, what was repaired as name, count, …}.
-- In a healthy store it changes nothing: every repair is counted and should stay zero.
-- First it gives back what a worker went on with that let go of the partition, and was lost: no damage.
if call('EXISTS', PARTED) == 1 and end_overdue_parted() > 0 then nudge() end

local repairs, total = {}, 0
local function repaired(what)
  repairs[what] = (repairs[what] or 0) + 1
  total = total + 1
  add('repairs:' .. what, 1)
end

-- The status that a state says; decoding all of it costs more than everything else that is asked of an event.
local function status_of(stored) return string.match(stored, '"s":"([A-Z_]+)"') end

-- What is parked in a lane without suspended URLs was left behind by a resume, or settled just after it: no damage.
local function parked(id, lane)
  local is_parked = call('ZSCORE', parked_key(lane), id)
  if is_parked and not call('HGET', lane_key(lane), 'off') and unpark(id, lane) then replace(lane) end
  return is_parked
end

local function placed(id, lane, group, status)
  if call('ZSCORE', due_key(lane), id) then
    if not call('ZSCORE', LANES, lane) then
      replace(lane)
      repaired('lane')
    end
    return true
  end
  if status == 'AWAITING_RESULT' then return call('ZSCORE', AWAITING, id) end
  if status == 'HELD' then return parked(id, lane) end
  if group == '' then return false end
  local k = group_key(lane, group)
  local head = call('LINDEX', k, 0)
  return head and head ~= id and (call('LLEN', k) > 1000 or call('LPOS', k, id))
end

-- Position of the first event of a group that comes after `mine`, by halving; where redeliveries broke the order, of one.
local function following(k, length, mine)
  local from, to = 0, length
  while from < to do
    local middle = math.floor((from + to) / 2)
    if sequence_of(call('LINDEX', k, middle)) > mine then to = middle else from = middle + 1 end
  end
  return from
end

-- Insert by sequence, whatever order the repairs come in, but behind what is in flight. True for a new head.
local function into_group(id, lane, group, state)
  local k = group_key(lane, group)
  local length, head = call('LLEN', k), call('LINDEX', k, 0)
  local at = following(k, length, tonumber(state.q) or 0)
  while at < length and call('HEXISTS', FLIGHT, call('LINDEX', k, at)) == 1 do at = at + 1 end
  if at == length then
    call('RPUSH', k, id)
  else
    if at == 0 then call('ZREM', due_key(lane), head) end
    call('LINSERT', k, 'BEFORE', call('LINDEX', k, at), id)
  end
  if head then call('HINCRBY', lane_key(lane), 'behind', 1) end
  return at == 0
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

-- Older versions kept no list of what is FAILED or EXPIRED, so a failure that is in none counts as no damage.
local function note_failure(id, status, stored)
  local since = string.match(stored, '"x":(%d+)')
  if since then call('ZADD', failures_key(status), 'NX', since, id) end
end

-- What is in the log and not in `open` must have ended, or be gone; what is in both is checked as open.
local function lost(entries)
  local logged, ids = {}, {}
  for i, entry in ipairs(entries) do logged[i] = entry[2][2] end
  for i, is_open in ipairs(ask('SMISMEMBER', OPEN_EVENTS, logged)) do
    local stored = is_open == 0 and redis.pcall('HGET', event_key(logged[i]), 'state')
    local status = type(stored) == 'string' and status_of(stored)
    if status and not TERMINAL[status] then ids[#ids + 1] = logged[i] end
    if status and FAILURE[status] then note_failure(logged[i], status, stored) end
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
