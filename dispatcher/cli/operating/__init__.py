"""Verbs of operators: a look at the queue, and what holds it back or lets it go on."""
