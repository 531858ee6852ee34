"""Emitting beside HTTP, for backends that share the store's Redis and are trusted as an API process is.

``dispatcher.client`` knows the API alone; what is here writes the store itself, with the API's own checks.
"""

from dispatcher.emitting.redis_emitter import Limits, Receipt, RedisEmitter

__all__ = ["Limits", "Receipt", "RedisEmitter"]
