-- prelude: audit
-- at maxmemory: refused, since a change without its entry would be none
-- swap: replace documents that still are what the writer read, and what points to them: all of it, or nothing.
--
-- KEYS[1], KEYS[2], ARGV[1..5]  see _audit.lua
-- KEYS[3..]                     every key that a document or an operation names
-- ARGV[6]                       number of documents
-- then for each document        number of its key, field of a hash ('' = the key itself), expected ('' = absent),
--                               value ('' = delete)
-- the rest, for each operation  command, number of its key (0 = none), number of arguments, arguments
--
-- Returns 1 when written, 0 when any document is not what the writer read, the chain's head when that moved. Documents
-- are compared as bytes, so no writer can miss another's change, and a repeat after a lost reply writes nothing.
local KIND = {
  HSET = 'hash', HDEL = 'hash', ZADD = 'zset', ZREM = 'zset', SADD = 'set', SREM = 'set',
  SET = 'any', DEL = 'any', PEXPIRE = 'any', PUBLISH = 'any',
}

local documents, operations, at = {}, {}, 7
for n = 1, tonumber(ARGV[6]) do
  documents[n] = { key = KEYS[tonumber(ARGV[at])], field = ARGV[at + 1], expected = ARGV[at + 2], value = ARGV[at + 3] }
  at = at + 4
end
while at <= #ARGV do
  local key, count = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local command = { ARGV[at] }
  if key > 0 then command[2] = KEYS[key] end
  for n = 1, count do command[#command + 1] = ARGV[at + 2 + n] end
  operations[#operations + 1] = command
  at = at + 3 + count
end

local function stored(one)
  if one.field == '' then return redis.call('GET', one.key) or '' end
  return redis.call('HGET', one.key, one.field) or ''
end

for _, one in ipairs(documents) do
  if stored(one) ~= one.expected then return 0 end
end
for _, one in ipairs(operations) do
  local kind = KIND[one[1]]
  if not kind then return redis.error_reply('ERR swap runs no ' .. one[1]) end
  if kind ~= 'any' and not is_of(one[2], kind) then return redis.error_reply('WRONGTYPE ' .. one[2] .. ' is no ' .. kind) end
end
local head = moved()
if head then return head end

local function write(one)
  if one.field ~= '' and one.value == '' then
    redis.call('HDEL', one.key, one.field)
  elseif one.field ~= '' then
    redis.call('HSET', one.key, one.field, one.value)
  elseif one.value == '' then
    redis.call('DEL', one.key)
  else
    redis.call('SET', one.key, one.value)
  end
end

for _, one in ipairs(documents) do write(one) end
for _, one in ipairs(operations) do redis.call(unpack(one)) end
note()
return 1
