-- audit: recount some open events. Changes nothing.
--
-- ARGV: cursor into `open`, how many
-- Returns {next cursor, checked, id, what is wrong, …}.
local page = call('SSCAN', P .. 'open', ARGV[1], 'COUNT', ARGV[2])
local answer = { page[1], #page[2] }

local function where(id)
  local doc, stored = read_event(id)
  local state = stored and decoded(stored)
  local lane, group = header(doc or '')
  if not state or lane == '' then return 'its data is gone, or is not readable' end
  if TERMINAL[state.s] then return 'it is ' .. state.s .. ' but still counted as open' end
  local places = 0
  if call('HEXISTS', P .. 'flight', id) == 1 then places = places + 1 end
  if call('ZSCORE', due_key(lane), id) then
    places = places + 1
    if not call('ZSCORE', P .. 'lanes', lane) then return 'it is due but its lane is not served' end
  end
  if call('ZSCORE', P .. 'wait', id) then places = places + 1 end
  if call('ZSCORE', P .. 'park:' .. lane, id) then places = places + 1 end
  if group ~= '' then
    local k = group_key(lane, group)
    local head = call('LINDEX', k, 0)
    if not head then return 'its group is empty' end
    if head ~= id then
      if call('LLEN', k) <= 1000 and not call('LPOS', k, id) then return 'it is not in its group' end
      if places > 0 then return 'it overtook the head of its group' end
      places = 1
    end
  end
  if places == 0 then return 'it is in no place' end
  if places > 1 then return 'it is in ' .. places .. ' places' end
end

for _, id in ipairs(page[2]) do
  local wrong = where(id)
  if wrong then
    answer[#answer + 1] = id
    answer[#answer + 1] = wrong
  end
end
return answer
