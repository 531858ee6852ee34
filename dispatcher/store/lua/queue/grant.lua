-- prelude: queue
-- at maxmemory: runs, since it takes work off Redis or lets it go on
-- grant: give a partition without a live lease a new generation, to be handed out as a job.
--
-- ARGV: how long (ms) the grant may wait for a worker to take it up
-- Returns the generation, or 0 when the partition has an owner or an unexpired grant.
-- A generation is later than the time at which the one before was granted: none comes a second time, also when the key was
-- lost or an older copy came back while its owner lives. A count from 1 would let both in.
local own = call('HMGET', OWN, 'until', 'granted', 'gen')
if tonumber(own[1] or 0) > NOW or tonumber(own[2] or 0) > NOW then return 0 end
if tonumber(own[2] or 0) > 0 then  -- handed out before and never taken up: its job is gone
  add('repairs:job', 1)
  flush()
end
local generation = math.max(tonumber(own[3] or 0) + 1, NOW)
call('HSET', OWN, 'gen', string.format('%.0f', generation), 'owner', '', 'until', 0, 'granted', NOW + tonumber(ARGV[1]), 'asleep', '0')
return generation
