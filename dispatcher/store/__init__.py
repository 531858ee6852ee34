"""Redis: the truth. The only package that imports ``redis``; every function is typed."""
