-- prelude: queue
-- look: one event, and where it is now. Changes nothing.
--
-- ARGV: id
-- Returns {} or {document, state, what `flight` says of it or '', head of its group or '', due ms or '', parked 1/0,
--   own: owner, lease until ms; lane: busy, cap, paused, circuit, slow, rate, crowded; score of the lane in `lanes` or ''; now ms; who
--   holds its group, names with LF between, or ''; since when the lane has no token, in ms, or ''; what is shown of its
--   pause as JSON, or ''; 1 while some URL of the lane is half-open, or ''}.
local id = ARGV[1]
local doc, state = read_event(id)
if not doc or not state then return {} end
local lane, group = header(doc)
local head = group ~= '' and call('LINDEX', group_key(lane, group), 0) or ''
local own = call('HMGET', OWN, 'owner', 'until')
local c = call('HMGET', lane_key(lane), 'busy', 'cap', 'paused', 'circuit', 'slow', 'rate', 'crowded', 'failing', 'pause_until',
  'pause', 'half')
local answer = {
  doc, state, call('HGET', FLIGHT, id) or '', head or '', call('ZSCORE', due_key(lane), id) or '',
  call('ZSCORE', parked_key(lane), id) and 1 or 0, own[1] or '', own[2] or '0',
}
local paused = paused_since({ paused = c[3] or nil, pause_until = c[9] or nil })
if not paused then c[3] = '' end
for i = 1, 7 do answer[#answer + 1] = c[i] or '' end
answer[#answer + 1] = call('ZSCORE', LANES, lane) or ''
answer[#answer + 1] = NOW
answer[#answer + 1] = table.concat(holders(lane, group), '\n')
answer[#answer + 1] = c[8] or ''
answer[#answer + 1] = paused and c[10] or ''
answer[#answer + 1] = c[11] or ''
return answer
