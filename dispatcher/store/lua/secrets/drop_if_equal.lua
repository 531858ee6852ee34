-- prelude: none
-- Deletes a key while it still holds a value, so that nobody deletes what another has written since.
-- KEYS[1] the key   ARGV[1] the value   -> 1 deleted, 0 it holds something else
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
