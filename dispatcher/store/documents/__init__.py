"""Documents that change only if they still are what was read, together with their indexes and the audit log."""
