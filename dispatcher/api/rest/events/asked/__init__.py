"""Events that a request asks for: its filter, read and checked, within the reach of its caller."""
