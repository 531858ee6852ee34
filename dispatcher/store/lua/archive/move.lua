-- prelude: queue
-- at maxmemory: runs, since it takes more off Redis than it writes
-- move: a segment that is written takes the place of its events: all of them, or none. Fenced by the generation.
--
-- KEYS: `{pN}:own`, the manifest
-- ARGV: generation, name of the segment, its entry, then id, place in the log, state, number of fields of each event
-- Returns {'lost'}, {'changed', id, …} of events that are not as they were read, or {'ok', events dropped}.
-- Idempotent: a segment that the manifest has is not looked at again. Every event is in Redis or in the manifest's
-- segments, never in both.
if call('HGET', OWN, 'gen') ~= ARGV[1] then return { 'lost' } end
local manifest, name, entry = KEYS[2], ARGV[2], ARGV[3]
if call('HEXISTS', manifest, name) == 1 then return { 'ok', 0 } end

local answer, events, places = { 'changed' }, {}, {}
for i = 4, #ARGV, 4 do
  local id, e = ARGV[i], event_key(ARGV[i])
  local state = redis.pcall('HGET', e, 'state')
  if state ~= ARGV[i + 2] or call('HLEN', e) ~= tonumber(ARGV[i + 3]) then answer[#answer + 1] = id end
  events[#events + 1] = e
  places[#places + 1] = ARGV[i + 1]
end
if #answer > 1 then return answer end

call('HSET', manifest, name, entry)
in_chunks(events, function(...) call('DEL', ...) end)
in_chunks(places, function(...) call('XDEL', EVENT_LOG, ...) end)
add('archived', #events)
flush()
return { 'ok', #events }
