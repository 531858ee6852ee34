-- prelude: queue
-- at maxmemory: runs, since it takes work off Redis or lets it go on
-- acknowledge: somebody knows of the dead letters of one cause, so that nobody is told of them again until it has ended.
--
-- ARGV: field of `issues`
-- Returns 1, or 0 when there is no such issue any more.
if call('HEXISTS', ISSUES, ARGV[1]) == 0 then return 0 end
local n, first, last = read_issue(ARGV[1])
call('HSET', ISSUES, ARGV[1], string.format('%d %.0f %.0f %.0f', n, first, last, NOW))
return 1
