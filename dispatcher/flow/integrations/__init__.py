"""What publishers do with integrations: create, change, publish, link."""
