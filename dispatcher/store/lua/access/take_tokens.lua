-- prelude: none
-- take_tokens: take tokens from a bucket that fills steadily. Changes nothing but the bucket.
--
-- KEYS[1]  the bucket (hash): left (tokens), at (ms)
-- ARGV     tokens per second, most that it holds, tokens wanted (0 = only look)
--
-- Returns {tokens granted, whole tokens left, ms until the next one}.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000
local rate, most, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local stored = redis.call('HMGET', KEYS[1], 'left', 'at')
local passed_ms = math.max(0, now - tonumber(stored[2] or now))
local left = math.min(most, tonumber(stored[1] or most) + passed_ms * rate / 1000)
local granted = math.min(wanted, math.floor(left))
left = left - granted
if wanted > 0 then
  redis.call('HSET', KEYS[1], 'left', string.format('%.6f', left), 'at', string.format('%.3f', now))
  redis.call('PEXPIRE', KEYS[1], math.ceil(most / rate * 1000) + 1000)
end
return { granted, math.floor(left), left >= 1 and 0 or math.ceil((1 - left) / rate * 1000) }
