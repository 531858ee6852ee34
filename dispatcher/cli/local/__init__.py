"""A developer's machine: keys that are made and kept there, and the address of the server that runs."""
