"""Events from accept to their end: every transition is one script."""
