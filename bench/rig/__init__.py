"""The rig: a deployment to measure, the load upon it, and what watches it."""
