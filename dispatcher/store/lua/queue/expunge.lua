-- prelude: queue
-- at maxmemory: runs, since it makes what is kept smaller
-- expunge: forget what an event that has ended was about: its content, and what hosts said of it.
--
-- ARGV: id, its document without creator and payload
-- Returns {'gone'}, {'refused', status}, or {'ok'}.
-- Status, ids, error code, and of each attempt times, URL and outcome stay. Idempotent.
local id = ARGV[1]
local e = event_key(id)
local doc, stored = read_event(id)
local state = doc and stored and decoded(stored)
if not state then return { 'gone' } end
if not TERMINAL[state.s] then return { 'refused', state.s } end
if state.g then return { 'ok' } end

local lane, group = header(doc)
assert(string.sub(ARGV[2], 1, #lane + #group + 2) == lane .. '\n' .. group .. '\n', 'the document of another event')
state.g, state.m = NOW, nil
local fields = { 'doc', ARGV[2], 'state', cjson.encode(state) }
for n = 1, state.n or 0 do
  local record = call('HGET', e, string.format('a%d', n))
  local good, attempt = pcall(cjson.decode, record or '')
  if good then
    attempt.b, attempt.e, attempt.a = nil, nil, nil
    fields[#fields + 1] = string.format('a%d', n)
    fields[#fields + 1] = cjson.encode(attempt)
  end
end
in_chunks(fields, function(...) call('HSET', e, ...) end)
return { 'ok' }
