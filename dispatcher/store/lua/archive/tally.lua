-- prelude: queue
-- tally: the manifest, and how many events were archived and have expired since, of one moment. Changes nothing.
--
-- KEYS: `{pN}:own`, the manifest
-- Returns {archived, expired, entry, …}.
local counted = call('HMGET', COUNTERS, 'archived', 'archive_expired')
local answer = { counted[1] or '0', counted[2] or '0' }
for _, entry in ipairs(call('HVALS', KEYS[2])) do answer[#answer + 1] = entry end
return answer
