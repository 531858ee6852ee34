"""Owning partitions: what is claimed, how it is shared out, when it is let go."""
