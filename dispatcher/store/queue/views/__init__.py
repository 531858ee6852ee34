"""Views of events: a row of a list, one event at a moment, and the checks of a filter; in Redis or archived."""
