"""Every Redis key: its type, fields, lifetime and writer. Nothing else spells a key, but for one block of Lua.

That block is in ``lua/_queue.lua`` and has the names of ``queue``. A test compares them, and finds every key in
``families``: what a user of Redis must be allowed.
"""
