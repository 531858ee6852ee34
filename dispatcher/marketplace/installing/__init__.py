"""Installing an app: order, connection, steps, settings, update, and its end."""
