-- prelude: queue
-- at maxmemory: runs, since it takes work off Redis or lets it go on
-- settle: record a batch of outcomes: attempt, status, next time or terminal, the group's next head,
-- counters, lane settings, status notifications. Fenced by the generation: of the owner, or of one that let go of the
-- partition (`part`), which settles what it named then and nothing else.
--
-- ARGV: generation, retention ms,
--       number of lane settings, then lane, field, value ('' deletes) each,
--       number of counters, then name, increment each,
--       then for each outcome what `settle_one` names: `n` attempt number, `attempt` JSON ('' = none was made),
--       `state` JSON without times, `account_identifier` if it is new ('' = it is not).
-- Status RELEASE gives the event back untouched; HELD parks it until its URL is enabled.
-- Returns {'lost'}, or {'ok', number settled, id of an event that is the first to die of its cause, …}.
-- Idempotent: an outcome counts only while `flight` holds the id with that attempt number. The owner is the only
-- one who changes the state of an event in flight, so the state that it was claimed with is still true.
local WIDTH = 13 -- arguments of an outcome
local TROUBLES = { circuit = true, opened = true, slow = true, failing = true }
local ARGV, retention_ms, touched, altered, freed, landed, troubled, died, has_parted
-- What `flight` says of each of these events.
local in_flight
-- Attempts of this batch by lane: n of them; of those that failed the number, those at the end without a success between
-- them, and of these the ones of the last outcome.
local tried

-- Both return where in ARGV they end.
local function write_settings(at)
  local last = at + 3 * tonumber(ARGV[at])
  for i = at + 1, last, 3 do
    local lane, field, value = ARGV[i], ARGV[i + 1], ARGV[i + 2]
    if value == '' then call('HDEL', lane_key(lane), field) else call('HSET', lane_key(lane), field, value) end
    touched[lane], altered[lane] = true, true
    if value ~= '' and TROUBLES[field] then troubled[lane] = true end
  end
  write_known(altered)
  return last
end

local function add_counters(at)
  local last = at + 2 * tonumber(ARGV[at])
  for i = at + 1, last, 2 do add(ARGV[i], tonumber(ARGV[i + 1])) end
  return last
end

-- Where a status puts its event, and the time that goes into the state with it.
local function place(id, e, status, delay_ms, lane, group, in_run)
  local due_ms = NOW + delay_ms
  if TERMINAL[status] then
    close(id, e, status, lane, group, retention_ms, in_run)
    return 'x', NOW
  elseif status == 'AWAITING_RESULT' then
    call('ZADD', AWAITING, due_ms, id)
    return 'w', due_ms
  elseif status == 'HELD' then
    call('ZADD', parked_key(lane), NOW, id)
    troubled[lane] = true
    return nil
  end
  call('ZADD', due_key(lane), due_ms, id)
  altered[lane] = true
  return 'd', due_ms
end

local function note_attempt(lane, status, http_status, attempt, state)
  local seen = tried[lane]
  if not seen then
    seen = { n = 0, failed = 0, run = 0, same = 0 }
    tried[lane] = seen
  end
  seen.n = seen.n + 1
  local outcome = (status == 'RETRYING' or status == 'DEAD') and string.match(attempt, '"o":"([A-Z_]+)"')
  if not outcome or outcome == 'REFUSED' then
    seen.run, seen.same, seen.well = 0, 0, true
    return
  end
  seen.failed, seen.run = seen.failed + 1, seen.run + 1
  seen.same = outcome == seen.outcome and seen.same + 1 or 1
  seen.outcome, seen.http, seen.state = outcome, http_status, state
end

-- One of a run goes back. Taken out of `flight` at once, so that the end of the one before it lets it go.
local function return_to_line(id, lane)
  call('HDEL', FLIGHT, id)
  local _, group = header((read_event(id)) or '')
  return back_in_line(id, lane, group)
end

local function settle_one(i)
  local id, n, status, delay_ms, attempt, state, lane, group, type, account_identifier, http_status, notification_id,
    notification = unpack(ARGV, i, i + WIDTH - 1)
  local e = event_key(id)
  local held, mark = in_flight[id], nil
  if held and held ~= n then held, mark = claim_of(held) end
  if held ~= n then
    -- Concluded from outside while the attempt ran: keep the attempt's record unless its content was
    -- expunged, change nothing else.
    local _, kept = read_event(id)
    if attempt ~= '' and kept and not string.find(kept, '"g":', 1, true) then call('HSETNX', e, 'a' .. n, attempt) end
    return 0
  end
  if has_parted and call('HGET', PARTED, id) ~= ARGV[1] .. ' ' .. n then return 0 end
  in_flight[id] = nil
  landed[#landed + 1] = id
  touched[lane] = true
  if mark ~= FOLLOWED then freed[lane] = (freed[lane] or 0) + 1 end
  if mark and status == 'RELEASE' and return_to_line(id, lane) then return 1 end
  local field, time = place(id, e, status, tonumber(delay_ms), lane, group, mark)
  if attempt ~= '' then note_attempt(lane, status, http_status, attempt, state) end
  if status == 'DEAD' then died[#died + 1] = { id, lane, state } end
  if status == 'RELEASE' then return 1 end
  if field then state = string.format('%s,"%s":%.0f}', string.sub(state, 1, -2), field, time) end
  if attempt ~= '' then
    call('HSET', e, 'state', state, 'a' .. n, attempt)
  else
    call('HSET', e, 'state', state)
  end
  if account_identifier ~= '' then note_identifier(read_event(id) or '', lane, group, account_identifier) end
  log_change(id, status, type, lane, group, n, http_status)
  if notification_id ~= '' and admit(notification_id, notification, touched) then add('notified', 1) end
  return 1
end

local function settle_each(first)
  local ids, settled = {}, 0
  for i = first, #ARGV, WIDTH do ids[#ids + 1] = ARGV[i] end
  for i, n in ipairs(ask('HMGET', FLIGHT, ids)) do in_flight[ids[i]] = n end
  for i = first, #ARGV, WIDTH do settled = settled + settle_one(i) end
  in_chunks(landed, function(...) call('HDEL', FLIGHT, ...) end)
  return settled
end

-- Decide anew when a lane may be claimed from, and write what became of its counters with it.
local function resume(lane)
  local c = lane_state(lane)
  c.busy = (c.busy or 0) - (freed[lane] or 0)
  call('HSET', lane_key(lane), 'busy', c.busy, 'behind', (c.behind or 0) + (behind[lane] or 0))
  freed[lane], behind[lane] = nil, nil
  rank(lane, c, due[lane] and NOW or first_due(lane))
end

-- Of the others, only a lane that was full may be claimed from earlier than before.
local function resume_lanes()
  local quiet = {}
  for lane in pairs(touched) do
    if due[lane] or altered[lane] then resume(lane) else quiet[#quiet + 1] = lane end
  end
  for i, score in ipairs(ask('ZMSCORE', LANES, quiet)) do
    if score == 'inf' then resume(quiet[i]) end
  end
end

-- Counts of minutes that are over, but for the last five.
local function forget_minutes(t, minute)
  for _, field in ipairs(call('HKEYS', t)) do
    local of = tonumber(string.match(field, '^[af](%d+)$'))
    if of and of < minute - 5 then call('HDEL', t, field) end
  end
end

local function note_trouble(lane, seen)
  local t, minute = trouble_key(lane), math.floor(NOW / 60000)
  local before = call('HMGET', t, 'since', 'run', 'same', 'o')
  local run, same, since = seen.run, seen.same, before[1] or NOW
  if seen.well then
    since = NOW
  else
    if same == run and before[4] == seen.outcome then same = same + tonumber(before[3] or 0) end
    run = run + tonumber(before[2] or 0)
  end
  if run > 0 then
    call('HSET', t, 'since', since, 'run', run, 'same', same)
  else
    call('HDEL', t, 'since', 'run', 'same')
  end
  if seen.outcome then
    local words = string.sub((decoded(seen.state) or {}).m or '', 1, 120)
    call('HSET', t, 'o', seen.outcome, 'h', seen.http, 'w', words)
  end
  if call('HINCRBY', t, 'a' .. minute, seen.n) == seen.n then forget_minutes(t, minute) end
  if seen.failed > 0 then call('HINCRBY', t, 'f' .. minute, seen.failed) end
end

-- A lane whose attempts all went well is looked at once a batch with all others like it, and written only if it was troubled.
local function note_troubles()
  local well = {}
  for lane, seen in pairs(tried) do
    if seen.failed > 0 then
      troubled[lane] = true
      note_trouble(lane, seen)
    else
      well[#well + 1] = lane
    end
  end
  for i, is_troubled in ipairs(ask('SMISMEMBER', TROUBLED, well)) do
    if is_troubled == 1 then note_trouble(well[i], tried[well[i]]) end
  end
  local marked = {}
  for lane in pairs(troubled) do marked[#marked + 1] = lane end
  in_chunks(marked, function(...) call('SADD', TROUBLED, ...) end)
end

local function settle(request)
  has_parted = ownership()[1] ~= request[1]
  if has_parted and not goes_on(request[1]) then return { 'lost' } end
  ARGV, retention_ms, in_flight, tried = request, request[2], {}, {}
  touched, altered, freed, landed, troubled, died = {}, {}, {}, {}, {}, {}
  local answer = { 'ok', settle_each(add_counters(write_settings(3) + 1) + 1) }
  resume_lanes()
  note_troubles()
  for _, one in ipairs(died) do
    if blame(one[2], decoded(one[3]) or {}) then answer[#answer + 1] = one[1] end
  end
  for lane, n in pairs(freed) do call('HINCRBY', lane_key(lane), 'busy', -n) end
  write_ranks()
  flush()
  if has_parted then nudge() end
  return answer
end
