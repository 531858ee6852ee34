-- prelude: queue
-- at maxmemory: runs, since it takes work off Redis or lets it go on
-- beat: one worker says that it lives. Also at `maxmemory`: a worker that nobody hears of gets no partitions.
--
-- KEYS[1] is `dispatcher:workers`.
-- ARGV: worker, for how long (ms) it counts as alive, after how long (ms) it is forgotten
-- Returns how many are alive, this one included.
call('ZADD', KEYS[1], NOW, ARGV[1])
call('ZREMRANGEBYSCORE', KEYS[1], '-inf', NOW - tonumber(ARGV[3]))
return call('ZCOUNT', KEYS[1], NOW - tonumber(ARGV[2]), '+inf')
