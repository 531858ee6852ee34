"""The dispatcher: everything the outside talks to, and the domain that both packages share.

Never imports ``worker``.
"""

__version__ = "0.1.0"
