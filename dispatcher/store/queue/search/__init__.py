"""Search for events: by filter, key or account, page by page, through an index or the log."""
