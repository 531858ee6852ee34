"""Workers as the store sees them: their ids, signs of life, and their end."""
