"""One attempt, from a claimed event to its settlement."""
