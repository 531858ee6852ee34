-- prelude: queue
-- at maxmemory: runs, since it takes work off Redis or lets it go on
-- rest: let go of a partition. What is still claimed goes back as due, untouched.
--
-- ARGV: generation
-- Returns {'lost'} or {'ok', ids given back}.
if call('HGET', OWN, 'gen') ~= ARGV[1] then return { 'lost' } end
local returned = give_back({}, nil)
call('HSET', OWN, 'owner', '', 'until', 0, 'granted', 0, 'asleep', '0')
return { 'ok', returned }
