"""Everything that leans on parts of aiohttp that it does not promise. Nothing outside this folder may.

| module | leans on | because |
|---|---|---|
| ``connection`` | ``RequestHandler.handle_error`` and its writer's count of bytes | aiohttp answers in plain text |
| ``direct_routes`` | ``Request._match_info`` | the search for a route costs a tenth of accepting an event |
| ``framing`` | ``RequestHandler._messages`` | aiohttp does not tell the reader of a body that its framing broke |
| ``protocols`` | the attributes ``request_factory`` and ``request_handler`` of ``web.Server`` | to install the others |
| ``receipt`` | the steps of ``StreamResponse`` | the general way of an answer costs as much as the event |
| ``request_line`` | the signature of request factories | aiohttp never answers a target with an unreadable host |

``pyproject.toml`` allows the one minor version of aiohttp that this was written for; before that line moves,
``tests/api/test_aiohttp_inside.py`` shows what else has to.
"""
