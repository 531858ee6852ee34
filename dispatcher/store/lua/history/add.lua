-- prelude: none
-- at maxmemory: refused
-- add: figures of some moments to rings of spans that all workers share. Adds; never replaces but what is a round old.
--
-- KEYS: a ring for each resolution. ARGV: number of figures, the figures, then for each ring slot and round.
-- A slot is `round:figure,figure,…` without zeros behind the last figure. Returns how many slots were written: what
-- comes more than a round late is left out.
local width, written = tonumber(ARGV[1]), 0

local function sum_with(kept)
  local sums, last, i = {}, 0, 0
  for n in string.gmatch(kept, '%d+') do
    i = i + 1
    sums[i] = n
  end
  for at = 1, width do
    local n = tonumber(sums[at] or 0) + tonumber(ARGV[1 + at])
    sums[at] = string.format('%.0f', n)
    if n > 0 then last = at end
  end
  return table.concat(sums, ',', 1, last)
end

for i, ring in ipairs(KEYS) do
  local slot, round = ARGV[width + 2 * i], ARGV[width + 2 * i + 1]
  local kept_round, kept = string.match(redis.call('HGET', ring, slot) or '', '^(%d+):(.*)$')
  if not kept_round or tonumber(kept_round) <= tonumber(round) then
    local sums = sum_with(kept_round == round and kept or '')
    redis.call('HSET', ring, slot, round .. ':' .. sums)
    written = written + 1
  end
end
return written
