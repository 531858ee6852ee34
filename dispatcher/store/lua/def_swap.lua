-- Compare-and-swap several definition documents and their indexes: all of it, or nothing.
--
-- KEYS[1] aliases (hash)   KEYS[2] inbound clients (hash)   KEYS[3] integrations (zset)
-- KEYS[4..3+n]             documents (string)
-- KEYS[4+n..]              keys that operations name
-- ARGV[1]                  n
-- ARGV[2..2n+1]            expected, value of each document; '' expected = absent, '' value = delete
-- the rest, four each      command, key number, first, second argument
--
-- Returns 1 when written, 0 when any document is not what the caller read. Documents are compared as
-- bytes, so no writer can miss another's change, and a repeat after a lost reply writes nothing.

local commands = {
  HSET = function(key, first, second) redis.call('HSET', key, first, second) end,
  HDEL = function(key, first) redis.call('HDEL', key, first) end,
  ZADD = function(key, first, second) redis.call('ZADD', key, second, first) end,
  ZREM = function(key, first) redis.call('ZREM', key, first) end,
  DEL = function(key) redis.call('DEL', key) end,
  PUBLISH = function(_, first, second) redis.call('PUBLISH', first, second) end,
}

local count = tonumber(ARGV[1])
for i = 1, count do
  local current = redis.call('GET', KEYS[3 + i]) or ''
  if current ~= ARGV[2 * i] then return 0 end
end

for i = 1, count do
  local value = ARGV[2 * i + 1]
  if value == '' then
    redis.call('DEL', KEYS[3 + i])
  else
    redis.call('SET', KEYS[3 + i], value)
  end
end
for i = 2 * count + 2, #ARGV, 4 do
  commands[ARGV[i]](KEYS[tonumber(ARGV[i + 1])], ARGV[i + 2], ARGV[i + 3])
end
return 1
