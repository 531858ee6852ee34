-- Prelude of every script that writes audit entries together with a change.
--
-- KEYS[1] head of the chain (string, "n:hash")   KEYS[2] audit log (stream)
-- ARGV[1] head as the writer knows it   ARGV[2] the new head, '' = there is nothing to note
-- ARGV[3] the entries, JSON, one a line   ARGV[4] ms that an entry is kept   ARGV[5] entries that are kept at most
--
-- Each entry has the place of the one before beside it (`p`), which tells whether a beginning that is gone was old enough.
--
-- A script first makes sure that it can do its change, then returns what `moved` gives if that is not nil (somebody
-- else wrote an entry meanwhile: the writer computes its hash again; or log or head is none of ours), then changes, and
-- ends with `note`.

local function is_of(key, kind)
  local found = redis.call('TYPE', key).ok
  return found == kind or found == 'none'
end

local function moved()
  if ARGV[2] == '' then return nil end
  if not is_of(KEYS[2], 'stream') then return 'no stream' end
  if not is_of(KEYS[1], 'string') then return 'no head' end
  local head = redis.call('GET', KEYS[1]) or ''
  if head ~= ARGV[1] then return head end
  return nil
end

local function note()
  if ARGV[2] == '' then return end
  local now = tonumber(redis.call('TIME')[1]) * 1000
  local oldest = string.format('%.0f', math.max(0, now - tonumber(ARGV[4])))
  redis.call('SET', KEYS[1], ARGV[2])
  local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
  local before = last and last[1] or ''
  for entry in string.gmatch(ARGV[3], '[^\n]+') do
    before = redis.call('XADD', KEYS[2], 'MINID', '~', oldest, '*', 'e', entry, 'p', before)
  end
  redis.call('XTRIM', KEYS[2], 'MAXLEN', '~', ARGV[5])
end
