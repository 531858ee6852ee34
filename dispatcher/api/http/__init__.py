"""The HTTP frame: bodies, errors, parameters, routes. Knows no use case."""
