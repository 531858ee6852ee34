-- prelude: queue
-- at maxmemory: runs, since it takes work off Redis or lets it go on
-- part: let go of a partition in which attempts still run, which whoever leaves goes on with and settles.
--
-- ARGV: generation, for how long (ms) its attempts go on unless it says so again, then id and attempt number of each
-- Returns {'lost'} or {'ok', ids given back}.
-- Whatever else it had claimed goes back as due, untouched; with none named that is all, and it settles nothing more.
-- What goes on stays in `flight`, so nothing behind it is due, and no owner that comes later has it in hand.
local generation, goes_on_ms = ARGV[1], tonumber(ARGV[2])
local is_owner = ownership()[1] == generation
if not is_owner and not goes_on(generation) then return { 'lost' } end

local ids, numbers, held = {}, {}, {}
for i = 3, #ARGV, 2 do
  ids[#ids + 1], numbers[ARGV[i]] = ARGV[i], ARGV[i + 1]
end
for i, number in ipairs(ask('HMGET', FLIGHT, ids)) do
  if number == numbers[ids[i]] then
    call('HSET', PARTED, ids[i], generation .. ' ' .. number)
    held[ids[i] .. ' ' .. number] = true
  end
end
if #ids > 0 then call('HSET', PARTED, 'until:' .. generation, NOW + goes_on_ms) else call('HDEL', PARTED, 'until:' .. generation) end

local returned
if is_owner then
  returned = give_back(held, nil)
  call('HSET', OWN, 'owner', '', 'until', 0, 'granted', 0, 'asleep', '0')
else
  returned = end_parted(function(_, whose) return whose == generation end, held, nil)
end
if returned > 0 then nudge() end
return { 'ok', returned }
