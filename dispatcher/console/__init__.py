"""Pages for operators: the verdict and what mends it, events, bulk jobs, workers. Needs no script in the browser."""
