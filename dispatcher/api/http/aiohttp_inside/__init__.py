"""Everything that leans on parts of aiohttp that it does not promise. Nothing outside this folder may.

| module | leans on | because |
|---|---|---|
| ``connection`` | ``handle_error`` and three private parts of ``RequestHandler`` | see below |
| ``direct_routes`` | ``Request._match_info`` | the search for a route costs a tenth of accepting an event |
| ``expectations`` | the attribute ``request_handler`` of ``web.Server`` | aiohttp answers 417 itself, in plain text |
| ``framing`` | ``RequestHandler._messages`` | aiohttp does not tell the reader of a body that its framing broke |
| ``prompt_connection`` | queue, waiter and flags of ``RequestHandler``, ``_buffer`` of ``StreamReader`` | see below |
| ``protocols`` | the attributes ``request_factory`` and ``request_handler`` of ``web.Server`` | to install the others |
| ``receipt`` | the steps of ``StreamResponse`` | the general way of an answer costs as much as the event |
| ``request_line`` | the signature of request factories | aiohttp never answers a target with an unreadable host |

``connection``: aiohttp answers what it cannot read in plain text, a method that it does not know among it
(``_make_error_handler``); and it ends every request with its caller, or none (``_current_request``, ``_task_handler``).

``prompt_connection``: aiohttp's task, request and response cost an accept more than its checks do. What aiohttp's task
does between two requests is done there once more, for what is begun there; all else is left to it, before or after.

``pyproject.toml`` allows the one minor version of aiohttp that this was written for; before that line moves,
``tests/api/test_aiohttp_inside.py`` shows what else has to.
"""
