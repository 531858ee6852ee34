"""Everything of the worker that leans on aiohttp's inside, which aiohttp does not promise to keep.

aiohttp connects, speaks TLS and parses; the rest of its client (redirects, cookies, inflating, bodies in pieces) is
what a notification must not have, and costs twice the CPU of all that is needed; so does its pool, with a parser made
for each answer. So requests are written, answers are read and connections are kept here, with ``ClientRequest``,
``BaseConnector.connect``, ``Connection``, ``ResponseHandler`` and ``StreamReader`` as they are in the version that
pyproject.toml pins. ``tests/worker/http/test_aiohttp_inside.py`` names each part that is leant on, and fails when a
newer aiohttp changes one, or when a module outside this folder imports such a part.
"""
