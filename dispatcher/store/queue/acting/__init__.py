"""Acts upon the queue from outside: events taken in, lanes and types held, bulk jobs; and what is refused."""
