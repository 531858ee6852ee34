"""The apps of an account: how each stands, what it did, who uses it, and the way into it."""
