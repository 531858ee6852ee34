"""The operator at work: the verdict, what mends it, failures by cause, lanes and workers."""
