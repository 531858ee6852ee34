"""Making and replacing installations: what is asked for, checked before anything is written."""
