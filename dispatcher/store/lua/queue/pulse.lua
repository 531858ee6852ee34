-- prelude: queue
-- pulse: totals of one partition at one moment, at a cost that does not grow with its lanes. Changes nothing.
--
-- ARGV: how long a lane may be claimable before it is late, in ms; how many late lanes are counted; for how long (ms) what
--       died counts
-- Returns {now ms, owner, lease until ms, open, awaiting, troubled lanes, claimable since ms or '', late events,
--   late since ms or '', died, counters as names and numbers}.
local own = call('HMGET', OWN, 'owner', 'until')
local first = call('ZRANGE', LANES, 0, 0, 'WITHSCORES')
local before = NOW - tonumber(ARGV[1])
local late = call('ZRANGE', LANES, '-inf', before, 'BYSCORE', 'LIMIT', 0, ARGV[2], 'WITHSCORES')
local events = 0
for i = 1, #late, 2 do events = events + call('ZCOUNT', due_key(late[i]), '-inf', before) end
local oldest = first[2] and tonumber(first[2])
return {
  NOW, own[1] or '', own[2] or '0', call('SCARD', OPEN_EVENTS), call('ZCARD', AWAITING), call('SCARD', TROUBLED),
  oldest and oldest <= NOW and first[2] or '', events, late[2] or '', call('ZCOUNT', DEAD, NOW - tonumber(ARGV[3]), '+inf'),
  call('HGETALL', COUNTERS),
}
