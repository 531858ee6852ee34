"""Events over REST: accepted, read, followed, acted upon."""
