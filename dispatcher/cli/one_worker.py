"""One process that delivers, as a supervisor starts it: without verbs and options, which take a tenth of a start.

python -m dispatcher.cli.one_worker CALLED PARENT    CALLED ends its id, by which PARENT, a process id, knows it
"""

from __future__ import annotations

import os
import sys

from dispatcher.cli.ending import errors_told, nothing_collected
from dispatcher.cli.terminal.standard_streams import prepare_streams


def main(called: str = "", parent: str = "") -> None:
    """Delivers until SIGTERM or Ctrl-C, then lets running attempts finish."""
    prepare_streams()
    with errors_told(["worker"]):
        with nothing_collected():
            from dispatcher.cli.processes.delivering import deliver_alone, worker_settings
        deliver_alone(worker_settings(), called, int(parent or os.getppid()))


if __name__ == "__main__":
    main(*sys.argv[1:])
