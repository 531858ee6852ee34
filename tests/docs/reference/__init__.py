"""Pages of docs/reference/, generated from the code. ``python -m tests.docs.reference`` writes them anew."""
