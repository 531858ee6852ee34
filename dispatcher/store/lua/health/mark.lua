-- prelude: queue
-- at maxmemory: runs, since it takes work off Redis or lets it go on
-- mark: leave a sign of life of one process, and tell whether the one that it left before is gone.
--
-- KEYS[1] is `{pN}:marks`.
-- ARGV: process, its last sign (ms, 0 = none yet), 1 if an event that it accepted since is gone, how long signs are kept
-- Returns {this sign in ms, 1 if writes were lost, the latest sign from before that survived in ms or 0}.
-- What a server restores, and what a replica has, is a prefix of what was written: a sign that is gone took with it
-- all that came later. A sign is never older than the one before, whatever the clock of the server does.
local me, known, gone, kept_ms = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1', tonumber(ARGV[4])
local mine = tonumber(call('ZSCORE', KEYS[1], me) or 0)
local lost = gone or (mine < known and known > NOW - kept_ms)
local survived = 0
if lost then
  -- one of that very millisecond may be left since: without the sign itself it proves nothing
  local latest = mine < known and '(' .. ARGV[2] or ARGV[2]
  local last = call('ZRANGE', KEYS[1], latest, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, 1, 'WITHSCORES')
  survived = tonumber(last[2] or 0)
end
local sign = math.max(NOW, mine + 1)
call('ZADD', KEYS[1], sign, me)
call('ZREMRANGEBYSCORE', KEYS[1], '-inf', NOW - kept_ms)
return { sign, lost and 1 or 0, survived }
