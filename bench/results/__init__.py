"""Results: figures with their verdict, shown, drawn and written down."""
