-- prelude: queue
-- list: events newest first, filtered before they leave Redis. Changes nothing.
--
-- ARGV: upper stream id ('+', 'ms-seq' or '(ms-seq'), lower stream id ('-' or ms), how many log entries to look at,
--       how many events to return, lanes ('L LF L' or ''), group, product (',"p":"…"' or ''), types (',A,B,' or ''),
--       statuses (',A,B,' or '')
-- Returns {position to go on from or '', stream id, id, head of the document, bytes of it, state, status now, …}. A call
-- ends early when it has read LOOKED bytes, or has ANSWERED bytes to say: neither holds up whoever waits behind it.
local LOOKED, ANSWERED = 2097152, 262144
local entries = call('XREVRANGE', EVENT_LOG, ARGV[1], ARGV[2], 'COUNT', ARGV[3])
local limit, group, product, types, statuses = tonumber(ARGV[4]), ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local lanes = {}
for lane in string.gmatch(ARGV[5], '[^\n]+') do lanes[lane] = true end
local answer = { '' }
local found, last = 0, ''

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

-- A group of an installation's steps is `\2 installation \2 account`.
local function account_of_step(doc_group) return string.match(doc_group, '^\2[^\2]*\2(.*)$') end

-- Types that are listed only when they are asked for: they report on others.
local REPORTS = { [',SUBSCRIPTION_STATUS,'] = true, [',OPERATIONAL,'] = true, [',MARKETPLACE_CALLBACK,'] = true }

-- The product is the third field of the document, where there is one; the same text further on is somebody's payload.
local function is_of_product(doc)
  local _, at = string.find(doc, '^[^\n]*\n[^\n]*\n{"t":"[A-Z_]+","r":%d+')
  return at and string.sub(doc, at + 1, at + #product) == product
end

local function matches(doc, doc_lane, doc_group)
  if ARGV[5] ~= '' and not lanes[doc_lane] then return false end
  if group ~= '' and doc_group ~= group and doc_group ~= '\1' .. group and account_of_step(doc_group) ~= group then
    return false
  end
  if product ~= '' and not is_of_product(doc) then return false end
  local kind = ',' .. type_of(doc) .. ','
  if types == '' then return not REPORTS[kind] end
  return string.find(types, kind, 1, true) ~= nil
end

-- All of a document but for what its emitter wrote into it, creator and payload, which come last. A quote within a string
-- has a backslash before it, so neither name is found in one.
local function head_of(doc, doc_lane, doc_group)
  local from = #doc_lane + #doc_group + 3
  local payload = string.find(doc, ',"d":', from, true)
  local creator = string.find(string.sub(doc, 1, payload or -1), ',"c":', from, true)
  local at = creator or payload
  return at and string.sub(doc, 1, at - 1) .. '}' or doc
end

local looked, answered, cut = 0, 0, false
for _, entry in ipairs(entries) do
  cut = looked >= LOOKED or answered >= ANSWERED
  if found == limit or cut then break end
  last = entry[1]
  local id = entry[2][2]
  local doc, state = read_event(id)
  local stored = state and string.match(state, '"s":"([A-Z_]+)"')
  if doc and stored then
    looked = looked + #doc
    local doc_lane, doc_group = header(doc)
    if matches(doc, doc_lane, doc_group) then
      local status = status_now(id, doc_lane, doc_group, stored)
      if statuses == '' or string.find(statuses, ',' .. status .. ',', 1, true) then
        local head = head_of(doc, doc_lane, doc_group)
        found, answered = found + 1, answered + #head + #state
        for _, part in ipairs({ entry[1], id, head, #doc, state, status }) do answer[#answer + 1] = part end
      end
    end
  end
end
if found == limit or cut or #entries == tonumber(ARGV[3]) then answer[1] = last end
return answer
