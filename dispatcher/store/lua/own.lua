-- own: take up a granted generation, or come back to one after a lost reply.
--
-- ARGV: generation, owner, lease ms, then the ids that this owner still works on
-- Returns {'lost'} when the generation moved on or another worker took it, else {'ok', now ms, ids given back}.
-- What the previous owner had claimed is due at once, its attempt kept as STARTED: nobody knows how it ended.
-- What this owner had claimed without learning of it goes back untouched.
local own = call('HMGET', KEYS[1], 'gen', 'owner')
if own[1] ~= ARGV[1] then return { 'lost' } end
if own[2] and own[2] ~= '' and own[2] ~= ARGV[2] then return { 'lost' } end
local came_back = own[2] == ARGV[2]
call('HSET', KEYS[1], 'owner', ARGV[2], 'until', NOW + tonumber(ARGV[3]), 'granted', 0, 'asleep', '0')
local held = {}
for i = 4, #ARGV do held[ARGV[i]] = true end
if not came_back then
  -- What the previous owner had learnt of concurrency went with it; lanes that were full are looked at again.
  for _, lane in ipairs(call('SMEMBERS', P .. 'known')) do call('HDEL', lane_key(lane), 'cap') end
end
local returned = give_back(held, not came_back and 'the worker that made this attempt was lost before it ended' or nil)
if not came_back then
  for _, lane in ipairs(call('ZRANGE', P .. 'lanes', 'inf', 'inf', 'BYSCORE')) do replace(lane) end
end
return { 'ok', NOW, returned }
