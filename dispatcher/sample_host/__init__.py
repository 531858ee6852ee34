"""A small product host: gives tokens, checks every notification, answers it. For ``dispatcher demo`` and to copy from.

Never part of a production process, and never imports the queue: it sees only what a real host sees.
"""

from dispatcher.sample_host.host import SampleHost
from dispatcher.sample_host.inbox import Notification

__all__ = ["Notification", "SampleHost"]
