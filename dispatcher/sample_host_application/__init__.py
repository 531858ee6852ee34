"""A small host application with a Connect button: for ``dispatcher demo``, and to copy from.

One file, aiohttp alone. It knows of the dispatcher what docs/host-applications.md says, and imports nothing of it.
"""

from dispatcher.sample_host_application.application import HostApplication

__all__ = ["HostApplication"]
