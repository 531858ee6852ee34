-- prelude: queue
-- at maxmemory: runs, since it takes work off Redis or lets it go on
-- parts: queue/settle, queue/claim
-- settle_and_claim: both, of many partitions in one call, which costs Redis little more than one of them.
--
-- KEYS: `{pN}:own` of each partition, in a cluster of one; then the key that is never there
-- ARGV: per partition, in the order of KEYS: how many arguments for `settle`, and those; the same for `claim`. 0 = not asked.
-- Returns per partition the answer of each, empty where it was not asked; or the error that stopped it, which stops no
-- other partition. Fenced as they are: nothing is claimed where nothing may be settled.
local at, ARGV

local function next_request()
  local count, request = tonumber(ARGV[at]), {}
  for i = 1, count do request[i] = ARGV[at + i] end
  at = at + 1 + count
  return request
end

local function both(settling, claiming)
  local settled = #settling > 0 and settle(settling) or {}
  if #claiming == 0 then return { settled, {} } end
  if settled[1] == 'lost' then return { settled, settled } end
  return { settled, claim(claiming) }
end

local function settle_and_claim(arguments, KEYS)
  local answers = {}
  at, ARGV = 1, arguments
  for i = 1, #KEYS - 1 do
    enter_anew(KEYS[i])
    local settling = next_request()
    local good, answer = pcall(both, settling, next_request())
    answers[i] = (good or type(answer) == 'table') and answer or { err = 'ERR ' .. tostring(answer) }
  end
  return answers
end
