"""Use cases of publishers: create, change, publish and link integrations."""
