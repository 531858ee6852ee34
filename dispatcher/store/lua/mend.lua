-- mend: find what breaks the invariant among some open events and some of the log, and put it right.
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

local function placed(id, lane, group, state)
  if call('HEXISTS', P .. 'flight', id) == 1 then return true end
  if call('ZSCORE', due_key(lane), id) then
    if not call('ZSCORE', P .. 'lanes', lane) then
      replace(lane)
      repaired('lane')
    end
    return true
  end
  if state.s == 'AWAITING_RESULT' then return call('ZSCORE', P .. 'wait', id) end
  if state.s == 'HELD' then return call('ZSCORE', P .. 'park:' .. lane, id) end
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
local function rejoin(id, lane, group, state)
  local k = group_key(lane, group)
  local head = call('LINDEX', k, 0)
  if not head then
    call('RPUSH', k, id)
    return true
  end
  local mine = tonumber(state.q) or 0
  for position, other in ipairs(call('LRANGE', k, 0, -1)) do
    if sequence_of(other) > mine and not (position == 1 and call('HEXISTS', P .. 'flight', other) == 1) then
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
    call('ZADD', P .. 'wait', state.w or NOW, id)
  elseif state.s == 'HELD' then
    call('ZADD', P .. 'park:' .. lane, NOW, id)
  elseif group == '' or call('LINDEX', group_key(lane, group), 0) == id or rejoin(id, lane, group, state) then
    call('ZADD', due_key(lane), state.d or NOW, id)
    replace(lane)
  end
  repaired('event')
end

local function check(id)
  local doc, stored = read_event(id)
  local state = stored and decoded(stored)
  local lane, group = header(doc or '')
  if not state or lane == '' then return end
  if TERMINAL[state.s] then
    if call('SREM', P .. 'open', id) == 1 then repaired('closed') end
    return
  end
  if call('SADD', P .. 'open', id) == 1 then repaired('open') end
  call('SADD', P .. 'known', lane)
  if not placed(id, lane, group, state) then place(id, lane, group, state) end
end

local page = call('SSCAN', P .. 'open', ARGV[1], 'COUNT', ARGV[3])
for _, id in ipairs(page[2]) do check(id) end
local entries = call('XRANGE', P .. 'log', ARGV[2], '+', 'COUNT', ARGV[3])
for _, entry in ipairs(entries) do check(entry[2][2]) end
local following = #entries == tonumber(ARGV[3]) and '(' .. entries[#entries][1] or '-'
flush()
if total > 0 then nudge() end
local answer = { page[1], following, total }
for what, n in pairs(repairs) do
  answer[#answer + 1] = what
  answer[#answer + 1] = n
end
return answer
