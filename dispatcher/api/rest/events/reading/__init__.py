"""Events are read: one, a page, all as a file, each change as it comes; and which types there are."""
