-- prelude: none
-- at maxmemory: runs, since what is done has to be noted
-- advance_redelivery: write how far a bulk job is: events found, events handled with their results, and its end, in one step.
--
-- KEYS[1] its record (hash)   KEYS[2] ids of those that run (set)
-- KEYS[3] events left (list)  KEYS[4] results (list)
-- ARGV[1] its id   ARGV[2] state   ARGV[3] seconds to keep it   ARGV[4] events handled   ARGV[5] results kept at most
-- ARGV[6] how many were found, and the ids of these; then how many results, and these; then fields and values
--
-- A job that was cancelled meanwhile stays so; what was done of it is counted. Returns its state, or '' when it is gone.
local before = redis.call('HGET', KEYS[1], 'state')
if not before then
  redis.call('SREM', KEYS[2], ARGV[1])
  return ''
end
local state = before == 'RUNNING' and ARGV[2] or before

-- Appends the values behind ARGV[at], as many as it says and `room` leaves; returns where the rest begins.
local function append(key, at, room)
  local last = at + tonumber(ARGV[at])
  local kept = math.min(last, at + room)
  for from = at + 1, kept, 1000 do redis.call('RPUSH', key, unpack(ARGV, from, math.min(from + 999, kept))) end
  return last + 1
end

local at = append(KEYS[3], 6, math.huge)
at = append(KEYS[4], at, tonumber(ARGV[5]) - redis.call('LLEN', KEYS[4]))
if ARGV[4] ~= '0' then redis.call('LTRIM', KEYS[3], 0, -tonumber(ARGV[4]) - 1) end
redis.call('HSET', KEYS[1], 'state', state, unpack(ARGV, at))
if state ~= 'RUNNING' then
  local clock = redis.call('TIME')
  redis.call('HSETNX', KEYS[1], 'ended', clock[1] * 1000 + math.floor(clock[2] / 1000))
  redis.call('SREM', KEYS[2], ARGV[1])
  redis.call('DEL', KEYS[3])
end
for _, key in ipairs({ KEYS[1], KEYS[3], KEYS[4] }) do redis.call('EXPIRE', key, ARGV[3]) end
return state
