-- prelude: audit
-- at maxmemory: runs, since pausing a lane must be possible then
-- append: write an audit entry of its own, before a change that lives in another hash slot. Keys and arguments: see _audit.lua.
--
-- Returns 1, or the head of the chain when it moved meanwhile.
local head = moved()
if head then return head end
note()
return 1
