"""The benchmark: `python -m bench`. Measures this project beside simpler programs on the same machine."""
