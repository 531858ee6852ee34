"""History on disk: segments of events that ended long ago, and the manifest in Redis that says which there are."""
