"""Events come into being: emitted by a backend, or made of what happened, and accepted."""
