"""The worker: everything that talks to the outside (tokens, signed POSTs, pings).

Imports the dispatcher's model, policy and store; never its HTTP layer.
"""
