-- prelude: none
-- at maxmemory: refused
-- write: spans of the integrations of one partition, each whole, and when the newest of an integration began.
--
-- KEYS: `charted`, then a ring for each span. ARGV: number of integrations with a new minute, then its second and the
-- integration for each of these, then for each ring slot, packed figures and the seconds to keep it ('0' = as it is).
-- Returns how many spans were written.
local charted, fresh = KEYS[1], tonumber(ARGV[1])
for i = 2, 2 * fresh, 2 do redis.call('ZADD', charted, ARGV[i], ARGV[i + 1]) end

local at = 2 * fresh + 2
for i = 2, #KEYS do
  redis.call('HSET', KEYS[i], ARGV[at], ARGV[at + 1])
  if ARGV[at + 2] ~= '0' then redis.call('EXPIRE', KEYS[i], ARGV[at + 2]) end
  at = at + 3
end
return #KEYS - 1
