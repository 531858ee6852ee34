"""The deployment itself: who changed what, which clients there are, which settings are in force."""
