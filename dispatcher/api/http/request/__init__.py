"""Requests as they are read: body, query, path, headers, origin. Whatever is wrong is refused by name."""
