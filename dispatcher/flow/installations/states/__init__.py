"""States of installations: from one to the next, with messages and effects, and what is waited for."""
