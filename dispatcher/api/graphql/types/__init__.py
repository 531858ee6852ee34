"""Types of the schema: inputs, outputs and payloads, and how values become them."""
