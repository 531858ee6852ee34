"""The terminal: options in, tables, bars and JSON out."""
