-- prelude: queue
-- at maxmemory: runs, since it takes work off Redis or lets it go on
-- troubles: a slice of the lanes that something may be the matter with. Those that are well again leave the list.
--
-- ARGV: cursor, about how many lanes
-- Returns {next cursor, lane, what `row` names, …}, the counts of a lane's trouble as names and values.
local minute = math.floor(NOW / 60000)

local function is_recent(t)
  for i = 1, #t, 2 do
    local of = tonumber(string.match(t[i], '^f(%d+)$'))
    if t[i] == 'since' or (of and of >= minute - 5) then return true end
  end
  return false
end

local function row(lane, c, t)
  local since, urls = '', call('HVALS', suspended_urls_key(lane))
  for _, ms in ipairs(urls) do
    if since == '' or tonumber(ms) < tonumber(since) then since = ms end
  end
  local due = due_key(lane)
  local first = call('ZRANGE', due, 0, 0, 'WITHSCORES')
  return {
    lane, call('ZCARD', due), c.behind or 0, call('ZCARD', parked_key(lane)), first[2] or '', #urls, since,
    paused_since(c) or '', c.circuit or '', c.opened or '', c.slow or '', c.failing or '', c.disabled or '', t, c.pause or '',
  }
end

local page = call('SSCAN', TROUBLED, ARGV[1], 'COUNT', ARGV[2])
local answer, well = { page[1] }, {}
for _, lane in ipairs(page[2]) do
  local c, t = lane_state(lane), call('HGETALL', trouble_key(lane))
  local slowed = c.slow and tonumber(c.slow) > NOW
  local held = paused_since(c) or c.circuit or c.opened or slowed or c.failing or c.off or c.disabled
  if held or is_recent(t) then
    answer[#answer + 1] = row(lane, c, t)
  else
    well[#well + 1] = lane
    call('DEL', trouble_key(lane))
  end
end
in_chunks(well, function(...) call('SREM', TROUBLED, ...) end)
return answer
