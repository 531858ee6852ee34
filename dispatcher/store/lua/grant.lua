-- grant: give a partition without a live lease a new generation, to be handed out as a job.
--
-- ARGV: how long (ms) the grant may wait for a worker to take it up
-- Returns the generation, or 0 when the partition has an owner or an unexpired grant.
local own = call('HMGET', KEYS[1], 'until', 'granted')
if tonumber(own[1] or 0) > NOW or tonumber(own[2] or 0) > NOW then return 0 end
if tonumber(own[2] or 0) > 0 then  -- handed out before and never taken up: its job is gone
  add('repairs:job', 1)
  flush()
end
local generation = call('HINCRBY', KEYS[1], 'gen', 1)
call('HSET', KEYS[1], 'owner', '', 'until', 0, 'granted', NOW + tonumber(ARGV[1]), 'asleep', '0')
return generation
