-- prelude: none
-- due_kinds: tell in which of some sorted sets something is due. Changes nothing.
--
-- KEYS sorted sets, score = when each member is due, ms
--
-- Returns for each 1 or 0.
local now = redis.call('TIME')
local now_ms = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
local answer = {}
for i, key in ipairs(KEYS) do
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
  answer[i] = first and tonumber(first) <= now_ms and 1 or 0
end
return answer
