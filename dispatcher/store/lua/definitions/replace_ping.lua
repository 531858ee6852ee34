-- prelude: none
-- replace_ping: replace one ping test in the list of its integration; nothing happens when it has been pushed out.
--
-- KEYS[1] list of ping tests, newest first
-- ARGV[1] id   ARGV[2] the test as JSON
--
-- Returns 1 when replaced. The position is found and written in one step, since a new test moves them all.

for position, stored in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  if cjson.decode(stored).id == ARGV[1] then
    redis.call('LSET', KEYS[1], position - 1, ARGV[2])
    return 1
  end
end
return 0
