"""``dispatcher bench``: a load of known events, and what became of each. Ends only processes that it started."""
