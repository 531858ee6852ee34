"""Words of the schema: descriptions, from docstrings and from the rows of fields."""
