-- prelude: queue
-- at maxmemory: runs, since it takes work off Redis or lets it go on
-- parts: queue/settle, queue/claim
-- settle_and_claim: both in one call, which costs Redis little more than one of them.
--
-- ARGV: those of `settle`, then those of `claim`
-- Returns the answer of each. Fenced as they are: nothing is claimed where nothing may be settled.
local CLAIM_ARGUMENTS = 7
local request = {}
for i = CLAIM_ARGUMENTS, 1, -1 do request[i] = table.remove(ARGV) end
local settled = settle(ARGV)
if settled[1] == 'lost' then return { settled, settled } end
return { settled, claim(request) }
