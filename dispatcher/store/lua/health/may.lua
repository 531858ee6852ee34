-- prelude: none
-- may: name the commands that the caller's user may run. Runs none of them, and needs no permission but EVAL.
-- ARGV[1] = JSON: a list of commands with their arguments.
-- Returns 1 or 0 for each, 0 also for one that this server does not know; nothing at all on a server before 7.0.
if not redis.acl_check_cmd then return {} end
local answers = {}
for i, command in ipairs(cjson.decode(ARGV[1])) do
  local known, allowed = pcall(redis.acl_check_cmd, unpack(command))
  answers[i] = known and allowed and 1 or 0
end
return answers
