"""The filter of an integration: read, checked, and asked about an event."""
