-- prelude: queue
-- at maxmemory: runs, since it takes work off Redis or lets it go on
-- end_lease: end a lease before its time, if nothing of it has changed since it was seen.
--
-- ARGV: generation, owner, until (ms), as they were seen
-- Returns 1, or 0 when it was renewed, granted anew or taken up meanwhile.
-- The generation stays: an owner that lives after all renews the lease with its next claim, unless it was granted before.
local own = call('HMGET', OWN, 'gen', 'owner', 'until')
if own[1] ~= ARGV[1] or own[2] ~= ARGV[2] or own[3] ~= ARGV[3] then return 0 end
call('HSET', OWN, 'until', 0)
return 1
