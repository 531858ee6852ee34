"""Types of the schema that several operations share, and how values become them."""
