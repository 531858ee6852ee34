"""Events in the console: found, looked at with every attempt, acted upon."""
