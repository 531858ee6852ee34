"""The workers' side: who owns a partition, what is claimed of it, and how that is settled."""
