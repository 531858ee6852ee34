-- prelude: none
-- replace_ping: replace one ping test in the list of its integration; nothing happens when it has been pushed out.
--
-- KEYS[1] list of ping tests, newest first   KEYS[2] hash of days
-- ARGV[1] id   ARGV[2] the test as JSON   ARGV[3] field of the day that counts it, or ''   ARGV[4] first day to keep
--
-- Returns 1 when replaced. The position is found and written in one step, since a new test moves them all.

for position, stored in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  if cjson.decode(stored).id == ARGV[1] then
    redis.call('LSET', KEYS[1], position - 1, ARGV[2])
    if ARGV[3] ~= '' then
      for _, field in ipairs(redis.call('HKEYS', KEYS[2])) do
        if tonumber(string.match(field, '^%d+')) < tonumber(ARGV[4]) then redis.call('HDEL', KEYS[2], field) end
      end
      redis.call('HINCRBY', KEYS[2], ARGV[3], 1)
      redis.call('EXPIRE', KEYS[2], 91 * 86400)
    end
    return 1
  end
end
return 0
