-- prelude: queue
-- overview: one partition counted at one moment. Changes nothing.
--
-- ARGV   the lanes to count; none = every lane that is known
--
-- Returns {now ms, owner, generation, lease until ms, in flight, awaiting, open, dead,
--   lane, ready, scheduled, behind, busy, parked, cap, oldest ready ms, next due ms, paused, circuit, slow, token failing
--   since ms, suspended URLs, what is shown of its pause as JSON …}.
local own = call('HMGET', OWN, 'owner', 'gen', 'until')
local answer = {
  NOW, own[1] or '', own[2] or '0', own[3] or '0', call('HLEN', FLIGHT), call('ZCARD', AWAITING),
  call('SCARD', OPEN_EVENTS), call('ZCARD', DEAD),
}
local function text(value) return value or '' end
for _, lane in ipairs(#ARGV > 0 and ARGV or call('SMEMBERS', KNOWN_LANES)) do
  local c = call('HMGET', lane_key(lane), 'busy', 'cap', 'paused', 'circuit', 'slow', 'behind', 'failing', 'pause_until', 'pause')
  local due, paused = due_key(lane), paused_since({ paused = c[3] or nil, pause_until = c[8] or nil })
  local ready, total = call('ZCOUNT', due, '-inf', NOW), call('ZCARD', due)
  local parked = call('ZCARD', parked_key(lane))
  local first = call('ZRANGE', due, 0, 0, 'WITHSCORES')
  local later = call('ZRANGE', due, '(' .. NOW, '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
  local off = call('HKEYS', suspended_urls_key(lane))
  if total + parked + tonumber(c[1] or 0) + tonumber(c[6] or 0) > 0 or paused or c[4] or c[5] or c[7] or #off > 0 then
    for _, part in ipairs({
      lane, ready, total - ready, c[6] or 0, c[1] or 0, parked, text(c[2]), ready > 0 and first[2] or '',
      text(later[2]), text(paused), text(c[4]), text(c[5]), text(c[7]), cjson.encode(off),
      paused and text(c[9]) or '',
    }) do answer[#answer + 1] = part end
  end
end
return answer
