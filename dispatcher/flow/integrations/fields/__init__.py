"""The fields of an integration: one row each in ``table``, and the kinds that the rows are of."""
