"""History of figures: of the whole fleet and of each integration, in rings of spans."""
