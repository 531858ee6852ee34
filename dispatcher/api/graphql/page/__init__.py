"""The page at ``GET /graphql``, and its files."""
