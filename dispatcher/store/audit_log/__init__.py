"""The hash-chained log of who changed what: writing it, and reading it back."""
