-- prelude: queue
-- list: events newest first, or some that are named, filtered before they leave Redis. Changes nothing.
--
-- ARGV: upper stream id ('+', 'ms-seq' or '(ms-seq'), or 'ids'; lower stream id ('-' or ms), or ''; how many log entries to
--       look at; how many events to return, -1 = only how many there are; checks as JSON (`store/queue/views/checks.py`); ids
-- Returns {position to go on from or '', events looked at, how many were found, stream id or '', id, head of the document (all
-- of it where its contents are packed and asked for: whoever asks looks into them), bytes of it unpacked, state, status now, …}. A call ends early when it has read LOOKED bytes, or has ANSWERED bytes to say:
-- neither holds up whoever waits behind it. Of ids the position is the number of those that were looked at.
local LOOKED, ANSWERED = 2097152, 262144
local DECODED = 8 -- what reading a byte as JSON costs, in bytes that are only looked at
local limit, checks = tonumber(ARGV[4]), cjson.decode(ARGV[5])
local looked = 0

local locks = {}
local function is_locked(lane, group)
  if locks[lane] == nil then locks[lane] = call('HGET', lane_key(lane), 'locks') end
  return locks[lane] and #holders(lane, group) > 0
end

local function status_now(id, doc_lane, doc_group, stored)
  if TERMINAL[stored] or stored == 'AWAITING_RESULT' or stored == 'HELD' then return stored end
  if call('HEXISTS', FLIGHT, id) == 1 then return 'DELIVERING' end
  if doc_group ~= '' and call('LINDEX', group_key(doc_lane, doc_group), 0) ~= id then return 'HELD' end
  if is_locked(doc_lane, doc_group) then return 'HELD' end
  return stored
end

local function status_of(e)
  e.status = e.status or status_now(e.id, e.lane, e.group, e.stored)
  return e.status
end

-- A group is an account; behind \1 one of status notifications, behind `\2 installation \2` one of steps.
local function account_of(group)
  local mark = string.byte(group)
  if mark == 1 then return string.sub(group, 2) end
  return mark == 2 and string.match(group, '^\2[^\2]*\2(.*)$') or group
end

-- A document begins with type and revision, then client and product, where there are any: what is further on, somebody
-- else may have written.
local BEGINNING = '^[^\n]*\n[^\n]*\n{"t":"[A-Z_]+","r":%d+'
local CLIENT = ',"a":"([^"\\]*)"'

local function client_of(e) return string.match(e.doc, BEGINNING .. CLIENT) end

local function is_of_product(e, field)
  local _, at = string.find(e.doc, BEGINNING .. CLIENT)
  if not at then _, at = string.find(e.doc, BEGINNING) end
  return at and string.sub(e.doc, at + 1, at + #field) == field
end

-- What a state says under a name of one letter: a quote within a text has a backslash before it.
local function said(e, name) return string.match(e.state, '"' .. name .. '":"?([^",}]*)') end
local function number_said(e, name) return tonumber(said(e, name)) end

-- The last attempt that was recorded, as it is stored.
local function last_attempt(e)
  if not e.attempt then
    local n = said(e, 'n')
    e.attempt = n and call('HGET', event_key(e.id), 'a' .. n) or ''
    looked = looked + #e.attempt
  end
  return e.attempt
end

local function url_host(e)
  local authority = string.match(last_attempt(e), '"u":"[^:"]*://([^/?#"\\]*)')
  return authority and string.lower(string.match(authority, '([^@]*)$'))
end

local ENDED = {
  SUCCEEDED = 'delivered', FAILED = 'refused_by_host', DEAD = 'attempts_used_up', EXPIRED = 'no_result_in_time',
  SKIPPED = 'no_url_configured', RESOLVED = 'resolved_by_hand', AWAITING_RESULT = 'awaiting_result',
  DELIVERING = 'in_flight',
}

-- Scalars of JSON, as the text that they are asked for with.
local function is_scalar(value, texts)
  if type(value) == 'string' then return texts[value] end
  if type(value) == 'boolean' then return texts[tostring(value)] end
  if value == cjson.null then return texts['null'] end
  if type(value) ~= 'number' then return false end
  for text in pairs(texts) do
    if string.find(text, '^-?%d[%d.eE+-]*$') and tonumber(text) == value then return true end
  end
  return false
end

local function at_path(value, path)
  for _, name in ipairs(path) do
    if type(value) ~= 'table' then return nil end
    local inner = value[name]
    if inner == nil and string.find(name, '^%d+$') then inner = value[tonumber(name) + 1] end
    value = inner
  end
  return value
end

-- A document is read as JSON only when it has one of the texts in it.
local function has_in_payload(e, check)
  local from = #e.lane + #e.group + 3
  for _, text in ipairs(check.contains) do
    if string.find(e.doc, text, from, true) then
      looked = looked + DECODED * #e.doc
      local good, body = pcall(cjson.decode, string.sub(e.doc, from))
      local found = good and at_path(body.d, check.path)
      return found ~= nil and is_scalar(found, check.values)
    end
  end
  return false
end

local function begins(id, check)
  for _, start in ipairs(check.starts) do
    if string.sub(id, 1, #start) == start then return true end
  end
  return false
end

local function is_any_product(e, check)
  for _, field in ipairs(check.products) do
    if is_of_product(e, field) then return true end
  end
  return false
end

local HOLDS = {
  integration = function(e, check) return check.values[e.lane] end,
  account = function(e, check) return check.values[account_of(e.group)] end,
  type = function(e, check) return check.values[type_of(e.doc)] end,
  id = function(e, check) return begins(e.id, check) end,
  product = is_any_product,
  client = function(e, check) return check.values[client_of(e) or ''] end,
  word = function(e, check)
    return check.accounts[account_of(e.group)] or check.lanes[e.lane] or begins(e.id, check) or is_any_product(e, check)
  end,
  status = function(e, check) return check.values[status_of(e)] end,
  error = function(e, check) return check.values[said(e, 'e') or ''] end,
  outcome = function(e, check) return check.values[string.match(last_attempt(e), '"o":"([A-Z_]+)"') or ''] end,
  host = function(e, check)
    local host = url_host(e) or ''
    return check.values[host] or check.values[string.gsub(host, ':%d+$', '')]
  end,
  payload = has_in_payload,
}

local NUMBERS = {
  attempts = function(e) return number_said(e, 'n') or 0 end,
  http = function(e) return tonumber(string.match(last_attempt(e), '"h":(%d+)')) end,
  next = function(e) return not TERMINAL[e.stored] and number_said(e, 'd') or nil end,
  accepted = function(e) return number_said(e, 'c') end,
  failed = function(e) return number_said(e, FAILURE[e.stored] and 'x' or 'c') end,
}

local function is_within(number, bounds)
  for _, pair in ipairs(bounds) do
    if (not pair[1] or number >= pair[1]) and (not pair[2] or number < pair[2]) then return true end
  end
  return false
end

-- An open event's reason takes more than this script knows: whoever asks looks again.
local function has_reason(e, check)
  local reason = ENDED[status_of(e)]
  if not reason then return nil end
  if e.stored == 'SKIPPED' and said(e, 'e') == 'FILTERED' then reason = 'filtered' end
  return check.values[reason] or false
end

local function holds(e, check)
  if check.field == 'reason' then
    local known = has_reason(e, check)
    return known == nil or (known ~= false) ~= check.negated
  end
  if check.field == 'payload' and packed_at(e.doc, e.lane, e.group) then
    e.unread = true
    return true
  end
  local held
  if check.bounds then
    local number = NUMBERS[check.field](e)
    held = number and is_within(number, check.bounds)
  else
    held = HOLDS[check.field](e, check)
  end
  return (held and true or false) ~= check.negated
end

local function matches(e)
  for _, check in ipairs(checks) do
    if not holds(e, check) then return false end
  end
  return true
end

-- All of a document but for what its emitter wrote into it, creator and payload, which come last. A quote within a string
-- has a backslash before it, so neither name is found in one.
local function head_of(doc, doc_lane, doc_group)
  local packed = packed_at(doc, doc_lane, doc_group)
  if packed then return string.sub(doc, 1, packed - 1) end
  local from = #doc_lane + #doc_group + 3
  local payload = string.find(doc, ',"d":', from, true)
  local creator = string.find(string.sub(doc, 1, payload or -1), ',"c":', from, true)
  local at = creator or payload
  return at and string.sub(doc, 1, at - 1) .. '}' or doc
end

local answer = { '', 0, 0 }
local found, answered = 0, 0

local function read_whole(id)
  local doc, state = read_event(id)
  local stored = state and string.match(state, '"s":"([A-Z_]+)"')
  if not doc or not stored then return nil end
  looked = looked + #doc
  local lane, group = header(doc)
  return { id = id, doc = doc, state = state, stored = stored, lane = lane, group = group }
end

local function look(position, id)
  local e = read_whole(id)
  if not e or not matches(e) then return end
  found = found + 1
  if limit < 0 then return end
  local head = e.unread and e.doc or head_of(e.doc, e.lane, e.group)
  answered = answered + #head + #e.state
  for _, part in ipairs({ position, id, head, size_of(e.doc, e.lane, e.group), e.state, status_of(e) }) do answer[#answer + 1] = part end
end

local function is_enough() return found == limit or looked >= LOOKED or answered >= ANSWERED end

local function look_through_log()
  local entries = call('XREVRANGE', EVENT_LOG, ARGV[1], ARGV[2], 'COUNT', ARGV[3])
  for i, entry in ipairs(entries) do
    if is_enough() then
      answer[1] = entries[i - 1][1]
      return i - 1
    end
    look(entry[1], entry[2][2])
  end
  if found == limit or #entries == tonumber(ARGV[3]) then answer[1] = entries[#entries][1] end
  return #entries
end

local function look_at_ids()
  for i = 6, #ARGV do
    if is_enough() then
      answer[1] = tostring(i - 6)
      return i - 6
    end
    look('', ARGV[i])
  end
  return #ARGV - 5
end

answer[2] = ARGV[1] == 'ids' and look_at_ids() or look_through_log()
answer[3] = found
return answer
