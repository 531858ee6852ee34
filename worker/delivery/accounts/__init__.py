"""An account's part of a delivery: its own host and credentials, and secrets that an event has only when it is sent."""
