-- Compare-and-swap several definition documents and their indexes: all of it, or nothing.
--
-- KEYS[1], KEYS[2], ARGV[1..5]   see _audit.lua
-- KEYS[3] aliases (hash)   KEYS[4] inbound clients (hash)   KEYS[5] integrations (zset)   KEYS[6] by vendor (zset)
-- KEYS[7..6+n]             documents (string)
-- KEYS[7+n..]              keys that operations name
-- ARGV[6]                  n
-- ARGV[7..2n+6]            expected, value of each document; '' expected = absent, '' value = delete
-- the rest, four each      command, key number, first, second argument
--
-- Returns 1 when written, 0 when any document is not what the caller read, the chain's head when that moved. Documents
-- are compared as bytes, so no writer can miss another's change, and a repeat after a lost reply writes nothing.

local commands = {
  HSET = function(key, first, second) redis.call('HSET', key, first, second) end,
  HDEL = function(key, first) redis.call('HDEL', key, first) end,
  ZADD = function(key, first, second) redis.call('ZADD', key, second, first) end,
  ZREM = function(key, first) redis.call('ZREM', key, first) end,
  DEL = function(key) redis.call('DEL', key) end,
  PUBLISH = function(_, first, second) redis.call('PUBLISH', first, second) end,
}

local count = tonumber(ARGV[6])
for i = 1, count do
  local current = redis.call('GET', KEYS[6 + i]) or ''
  if current ~= ARGV[5 + 2 * i] then return 0 end
end
local head = moved()
if head then return head end

for i = 1, count do
  local value = ARGV[6 + 2 * i]
  if value == '' then
    redis.call('DEL', KEYS[6 + i])
  else
    redis.call('SET', KEYS[6 + i], value)
  end
end
for i = 2 * count + 7, #ARGV, 4 do
  commands[ARGV[i]](KEYS[tonumber(ARGV[i + 1])], ARGV[i + 2], ARGV[i + 3])
end
note()
return 1
