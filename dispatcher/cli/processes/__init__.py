"""Processes of a deployment: how each starts, listens and ends."""

from dispatcher.cli.processes.lean_imports import import_log_and_store

import_log_and_store()
