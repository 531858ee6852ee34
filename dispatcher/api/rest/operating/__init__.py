"""Operators over REST: queue, verdict, figures, clients, audit log."""
