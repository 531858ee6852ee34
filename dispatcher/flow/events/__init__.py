"""Use cases of events: emit, accept, redeliver, pause, conclude, explain."""
