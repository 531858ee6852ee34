"""The domain: frozen values and their state machines. No I/O and no clock of its own."""
