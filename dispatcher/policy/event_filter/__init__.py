"""The text of a filter of events, such as ``status:dead since:2h -account:acme``: read, and printed back."""
