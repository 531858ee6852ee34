-- accept: write events, give each its place in lane and group, wake the owner. One round trip for many.
--
-- ARGV: id, document, id, document, …
-- Returns per event: sequence, created ms, 1 if it had been accepted before.
-- Idempotent by id: a repeat after a lost reply writes nothing and answers the same.
local answer, touched, fresh = {}, {}, 0
for i = 1, #ARGV, 2 do
  local sequence = admit(ARGV[i], ARGV[i + 1], touched)
  if sequence then
    fresh = fresh + 1
    answer[#answer + 1] = sequence
    answer[#answer + 1] = NOW
    answer[#answer + 1] = 0
  else
    local state = cjson.decode(call('HGET', event_key(ARGV[i]), 'state'))
    answer[#answer + 1] = state.q
    answer[#answer + 1] = state.c
    answer[#answer + 1] = 1
  end
end
if fresh > 0 then
  add('accepted', fresh)
  flush()
  for lane in pairs(touched) do raise(lane, NOW) end
  nudge()
end
return answer
