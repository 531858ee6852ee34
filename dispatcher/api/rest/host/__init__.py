"""The product host's side: reading an event, reporting its result."""
