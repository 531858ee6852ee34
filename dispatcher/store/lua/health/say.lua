-- prelude: queue
-- at maxmemory: runs, since it takes work off Redis or lets it go on
-- say: take or renew the turn to judge, and write the verdict down. Also at `maxmemory`: that is when people look at it.
--
-- KEYS[1] is `dispatcher:verdict`.
-- ARGV: process, for how long (ms) a turn lasts, the verdict as JSON or '', 1 to write it although it is another's turn, the
--       moment (ms) that it is of: one of a moment before that of the last one changes nothing, unless time itself went back
-- Returns 1 when it is this process's turn, else 0.
local BACK_MS = 60000
local turn = call('HMGET', KEYS[1], 'by', 'until', 'at')
local mine = not turn[1] or turn[1] == ARGV[1] or tonumber(turn[2]) <= NOW
if mine then call('HSET', KEYS[1], 'by', ARGV[1], 'until', NOW + tonumber(ARGV[2])) end
local at, last = tonumber(ARGV[5]), tonumber(turn[3] or 0)
local late = at < last and last - at < BACK_MS
if ARGV[3] ~= '' and not late and (mine or ARGV[4] == '1') then
  call('HSET', KEYS[1], 'said', ARGV[3], 'at', ARGV[5])
end
return mine and 1 or 0
