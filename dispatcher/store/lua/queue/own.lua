-- prelude: queue
-- at maxmemory: runs, since it takes work off Redis or lets it go on
-- own: take up a granted generation, or come back to one after a lost reply.
--
-- ARGV: generation, generation to go on under, owner, lease ms, then id and attempt number of all that this owner still works on
-- Returns {'lost'} when the generation moved on or another worker took it, else {'ok', now ms, ids given back}.
-- Who comes back asks for a newer generation, and for a newer one still when that reply is lost, too: a claim or settle
-- that was given up, and is on its way yet, changes nothing when it arrives.
-- What the previous owner had claimed is due at once, its attempt kept as STARTED: nobody knows how it ended.
-- What this owner had claimed without learning of it goes back untouched.
local own = call('HMGET', OWN, 'gen', 'owner')
local stored, from, under = tonumber(own[1] or 0), tonumber(ARGV[1]), tonumber(ARGV[2])
local came_back = own[2] == ARGV[3]
if stored ~= from and not (came_back and from < stored and stored < under) then return { 'lost' } end
if own[2] and own[2] ~= '' and not came_back then return { 'lost' } end
call('HSET', OWN, 'gen', ARGV[2], 'owner', ARGV[3], 'until', NOW + tonumber(ARGV[4]), 'granted', 0, 'asleep', '0', 'room', '', 'given', 0)
local held = {}
for i = 5, #ARGV, 2 do held[ARGV[i] .. ' ' .. ARGV[i + 1]] = true end
if not came_back then
  -- What the previous owner had learnt of concurrency went with it; lanes that were full are looked at again.
  for _, lane in ipairs(call('SMEMBERS', KNOWN_LANES)) do call('HDEL', lane_key(lane), 'cap') end
end
local returned = give_back(held, not came_back and 'the worker that made this attempt was lost before it ended' or nil)
if not came_back then
  for _, lane in ipairs(call('ZRANGE', LANES, 'inf', 'inf', 'BYSCORE')) do replace(lane) end
end
return { 'ok', NOW, returned }
