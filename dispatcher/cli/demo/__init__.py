"""``dispatcher demo``: a story told by real processes, and a page to click through."""
