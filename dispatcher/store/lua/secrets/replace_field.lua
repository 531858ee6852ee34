-- prelude: none
-- replace_field: put another value into one field of a hash, if the field still holds what the caller read.
--
-- KEYS[1] hash
-- ARGV[1] field   ARGV[2] what was read   ARGV[3] what is to be there
--
-- Returns 1 when replaced. A repeat after a lost reply changes nothing.

if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
