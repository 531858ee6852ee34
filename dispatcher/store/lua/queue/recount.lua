-- prelude: queue
-- recount: count a partition, and check some of its open events. Changes nothing.
--
-- ARGV: 'walk', cursor into `open`, how many; or 'again', ids that were wrong before; or 'listed', cursor into the list of
--       failures of a status, how many, that status
-- Returns {next cursor, accepted, ended, open or how many are listed, id, what is wrong, …}.
-- Every script counts what it opens and ends in the same step, so at any moment accepted = ended + open; and none stops
-- with an event between two places. What is wrong here is damage, then, however fast events move.
local function counted()
  local accepted, ended = 0, 0
  local counts = call('HGETALL', COUNTERS)
  for i = 1, #counts, 2 do
    local name, n = counts[i], tonumber(counts[i + 1])
    if name == 'accepted' or name == 'notified' or name == 'reopened' then accepted = accepted + n end
    if string.sub(name, 1, 9) == 'terminal:' then ended = ended + n end
  end
  return accepted, ended
end

local function where(id)
  local doc, stored = read_event(id)
  local state = stored and decoded(stored)
  local lane, group = header(doc or '')
  if not state or lane == '' then return 'its data is gone, or is not readable' end
  if TERMINAL[state.s] then return 'it is ' .. state.s .. ' but still counted as open' end
  local places = 0
  local claimed = call('HGET', FLIGHT, id)
  if claimed then places = places + 1 end
  if call('ZSCORE', due_key(lane), id) then
    places = places + 1
    if not call('ZSCORE', LANES, lane) then return 'it is due but its lane is in no order' end
  end
  if call('ZSCORE', AWAITING, id) then places = places + 1 end
  if call('ZSCORE', parked_key(lane), id) then places = places + 1 end
  if group ~= '' then
    local k = group_key(lane, group)
    local head = call('LINDEX', k, 0)
    if not head then return 'its group is empty' end
    if head ~= id then
      if call('LLEN', k) <= 1000 and not call('LPOS', k, id) then return 'it is not in its group' end
      local _, mark = claim_of(claimed or '')
      local in_run = mark and mark ~= '' and call('HEXISTS', FLIGHT, head) == 1
      if places > (in_run and 1 or 0) then return 'it overtook the head of its group' end
      places = 1
    end
  end
  if places == 0 then return 'it is in no place' end
  if places > 1 then return 'it is in ' .. places .. ' places' end
end

local function still_open()
  local asked, ids = {}, {}
  for i = 2, #ARGV do asked[#asked + 1] = ARGV[i] end
  for i, is_open in ipairs(ask('SMISMEMBER', OPEN_EVENTS, asked)) do
    if is_open == 1 then ids[#ids + 1] = asked[i] end
  end
  return { '0', ids }
end

-- What is in a list of failures has failed so, or is gone with its retention.
local function listed(status)
  local page = call('ZSCAN', failures_key(status), ARGV[2], 'COUNT', ARGV[3])
  local answer = { page[1], 0, 0, call('ZCARD', failures_key(status)) }
  for i = 1, #page[2], 2 do
    local id = page[2][i]
    local stored = redis.pcall('HGET', event_key(id), 'state')
    local now = type(stored) == 'string' and string.match(stored, '"s":"([A-Z_]+)"')
    if now and now ~= status then
      answer[#answer + 1] = id
      answer[#answer + 1] = 'it is ' .. now .. ' but listed as ' .. status
    end
  end
  return answer
end

if ARGV[1] == 'listed' then return listed(ARGV[4]) end
local page = ARGV[1] == 'walk' and call('SSCAN', OPEN_EVENTS, ARGV[2], 'COUNT', ARGV[3]) or still_open()
local accepted, ended = counted()
local answer = { page[1], accepted, ended, call('SCARD', OPEN_EVENTS) }
for _, id in ipairs(page[2]) do
  local wrong = where(id)
  if wrong then
    answer[#answer + 1] = id
    answer[#answer + 1] = wrong
  end
end
return answer
