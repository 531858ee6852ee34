-- prelude: queue
-- at maxmemory: runs, since it makes what is kept smaller
-- forget: a segment whose events have reached the end of their retention is forgotten. Fenced by the generation.
--
-- KEYS: `{pN}:own`, the manifest
-- ARGV: generation, name of the segment, its entry, number of its events
-- Returns {'lost'}, {'changed'}, or {'ok'}.
if call('HGET', OWN, 'gen') ~= ARGV[1] then return { 'lost' } end
if call('HGET', KEYS[2], ARGV[2]) ~= ARGV[3] then return { 'changed' } end
call('HDEL', KEYS[2], ARGV[2])
add('archive_expired', tonumber(ARGV[4]))
flush()
return { 'ok' }
