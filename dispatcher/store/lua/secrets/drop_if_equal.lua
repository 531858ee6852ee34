-- prelude: none
-- drop_if_equal: delete a key while it still holds a value, so that nobody deletes what another has written since.
--
-- KEYS[1] the key   ARGV[1] the value
--
-- Returns 1 when deleted, 0 when it holds something else.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
