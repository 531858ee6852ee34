-- Prelude of every queue script: the words they share.
--
-- KEYS[1] is always `{pN}:own`. All other keys are built from its prefix, so they share its slot. Only accept takes
-- several partitions at once, where they are not on different nodes: it enters one after the other.
-- State of an event (JSON): s status, c created ms, q sequence, n attempts, u tries used of the schedule,
-- d due ms, e error code, m error message, x settled ms, w result deadline ms, i accountIdentifier,
-- y answered 202, r resolved by hand, v revision chosen by a redelivery.
--
-- Invariant: every id in `open` is in exactly one place: `flight` (claimed), `d:L` (due or scheduled),
-- `wait` (result expected), `park:L` (URL suspended), or behind the head of its group's list `k:L:G`.

local call = redis.call
local P
local function enter(own_key) P = string.match(own_key, '^(.-:)') end
enter(KEYS[1])

local clock = call('TIME')
local NOW = clock[1] * 1000 + math.floor(clock[2] / 1000)

local FAILURE = { DEAD = true, FAILED = true, EXPIRED = true }
local TERMINAL = { DEAD = true, FAILED = true, EXPIRED = true, SUCCEEDED = true, SKIPPED = true, RESOLVED = true }

local function event_key(id) return P .. 'e:' .. id end
local function due_key(lane) return P .. 'd:' .. lane end
local function lane_key(lane) return P .. 'l:' .. lane end
local function group_key(lane, group) return P .. 'k:' .. lane .. ':' .. group end

-- A stored document is `lane LF group LF {"t":"TYPE",…}`; both are empty of one that is not.
local function header(doc)
  local a = string.find(doc, '\n', 1, true)
  local b = a and string.find(doc, '\n', a + 1, true)
  if not b then return '', '' end
  return string.sub(doc, 1, a - 1), string.sub(doc, a + 1, b - 1)
end

-- The state that some JSON says; nothing when it says none.
local function decoded(stored)
  local good, state = pcall(cjson.decode, stored)
  return good and type(state) == 'table' and type(state.s) == 'string' and state or nil
end

-- Document and state of an event; nothing when its key is gone or is no hash: one damaged event stops no other.
local function read_event(id)
  local kept = redis.pcall('HMGET', event_key(id), 'doc', 'state')
  if kept.err then return nil, nil end
  return kept[1] or nil, kept[2] or nil
end

local function type_of(doc) return string.match(doc, '\n{"t":"([A-Z_]+)"') or '' end

-- What one call writes for all of its events: every command less is one line less in the append-only file.
local added, opened, closed = {}, {}, {}
local function add(counter, n) added[counter] = (added[counter] or 0) + n end

local function in_chunks(list, write)
  for from = 1, #list, 1000 do write(unpack(list, from, math.min(from + 999, #list))) end
end

local function flush()
  for counter, n in pairs(added) do call('HINCRBY', P .. 'counts', counter, n) end
  in_chunks(opened, function(...) call('SADD', P .. 'open', ...) end)
  in_chunks(closed, function(...) call('SREM', P .. 'open', ...) end)
  added, opened, closed = {}, {}, {}
end

local function tell(id, status, kind, lane, group, n, http)
  call('XADD', P .. 'feed', 'MAXLEN', '~', 1000, '*', 'i', id, 's', status, 't', kind,
    'l', lane, 'g', group, 'n', n, 'h', http)
end

-- The lane has work at `due`: make it claimable then, unless it is full or held for longer.
local function raise(lane, due)
  call('SADD', P .. 'known', lane)
  local c = call('HMGET', lane_key(lane), 'busy', 'cap', 'paused', 'circuit', 'slow')
  if c[3] or (c[2] and tonumber(c[1] or 0) >= tonumber(c[2])) then
    call('ZADD', P .. 'lanes', 'NX', 'inf', lane)
    return
  end
  call('ZADD', P .. 'lanes', 'LT', math.max(due, tonumber(c[4] or 0), tonumber(c[5] or 0)), lane)
end

-- Recompute from scratch when the lane may next be claimed from. A lane just served goes behind those waiting.
-- `c`: the lane's busy, cap, paused, circuit, slow, if the caller has them at hand.
local function replace(lane, c)
  local head = call('ZRANGE', due_key(lane), 0, 0, 'WITHSCORES')
  if #head == 0 then
    call('ZREM', P .. 'lanes', lane)
    return
  end
  c = c or call('HMGET', lane_key(lane), 'busy', 'cap', 'paused', 'circuit', 'slow')
  local at = 'inf'
  if not c[3] and not (c[2] and tonumber(c[1] or 0) >= tonumber(c[2])) then
    at = math.max(tonumber(head[2]), tonumber(c[4] or 0), tonumber(c[5] or 0), NOW)
  end
  call('ZADD', P .. 'lanes', at, lane)
end

-- Put an open event where it belongs: due now, or behind the head of its group. True when it is due.
local function line_up(id, lane, group)
  if group ~= '' and call('RPUSH', group_key(lane, group), id) > 1 then
    call('HINCRBY', lane_key(lane), 'behind', 1)
    return false
  end
  call('ZADD', due_key(lane), NOW, id)
  return true
end

-- A new event, written whole. Returns its sequence; false when the id had been accepted before.
local function admit(id, doc, touched)
  local e = event_key(id)
  if call('EXISTS', e) == 1 then return false end
  local lane, group = header(doc)
  local sequence = 0
  if group ~= '' then sequence = call('HINCRBY', P .. 'g:' .. lane .. ':' .. group, 'seq', 1) end
  call('HSET', e, 'doc', doc, 'state', string.format('{"s":"QUEUED","c":%.0f,"q":%d}', NOW, sequence))
  opened[#opened + 1] = id
  call('XADD', P .. 'log', '*', 'i', id)
  if line_up(id, lane, group) then touched[lane] = true end
  tell(id, 'QUEUED', type_of(doc), lane, group, 0, '')
  return sequence
end

-- Wake the owner if it announced that it sleeps.
local function nudge()
  local own = call('HMGET', P .. 'own', 'owner', 'asleep')
  if own[2] == '1' and own[1] and own[1] ~= '' then
    call('HSET', P .. 'own', 'asleep', '0')
    call('PUBLISH', 'dispatcher:nudge:' .. own[1], string.match(P, '%d+'))
  end
end

local function save(e, state) call('HSET', e, 'state', cjson.encode(state)) end

-- The event at the head of a group ended: the next one is due. An event in the middle just leaves.
local function advance(id, lane, group)
  if group == '' then return false end
  local k = group_key(lane, group)
  local head = call('LPOP', k)
  if head == id then
    local following = call('LINDEX', k, 0)
    if not following then return false end
    call('HINCRBY', lane_key(lane), 'behind', -1)
    call('ZADD', due_key(lane), NOW, following)
    return true
  end
  if head then call('LPUSH', k, head) end
  if call('LREM', k, 1, id) > 0 then call('HINCRBY', lane_key(lane), 'behind', -1) end
  return false
end

-- An open event becomes terminal. The caller has taken it out of its place and saves the state.
local function close(id, e, status, lane, group, retention_ms)
  closed[#closed + 1] = id
  if status == 'DEAD' then call('ZADD', P .. 'dead', NOW, id) end
  call('PEXPIRE', e, retention_ms)
  add('terminal:' .. status, 1)
  return advance(id, lane, group)
end

-- Everything claimed that is not in `held` goes back to its lane as due. Returns how many.
local function give_back(held, lost)
  local flight = call('HGETALL', P .. 'flight')
  local returned = 0
  for i = 1, #flight, 2 do
    local id, n = flight[i], flight[i + 1]
    if not held[id] then
      call('HDEL', P .. 'flight', id)
      local e = event_key(id)
      local doc, stored = read_event(id)
      if doc and stored then
        local lane = header(doc)
        local state = lost and decoded(stored)
        if state then
          state.n = tonumber(n)
          call('HSET', e, 'a' .. n, string.format('{"t":%.0f,"o":"STARTED","e":%s}', NOW, cjson.encode(lost)))
          save(e, state)
        end
        call('HINCRBY', lane_key(lane), 'busy', -1)
        call('ZADD', due_key(lane), NOW, id)
        replace(lane)
        returned = returned + 1
      end
    end
  end
  return returned
end
