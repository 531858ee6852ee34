"""``python -m bench.peers.archives_at_once worker``: ``dispatcher`` that moves events as soon as they have ended.

For comparison alone: a deployment keeps them in Redis for a day at least.
"""

from __future__ import annotations

from dispatcher.cli.one_worker import main
from dispatcher.settings import Settings

if __name__ == "__main__":
    Settings.archive_after_ms = 0  # type: ignore[assignment, method-assign]
    main()
