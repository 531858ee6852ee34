"""Acts on events: redeliver, deliver now, conclude, pause; on one, or on all that a filter finds."""
