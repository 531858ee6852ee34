"""Access tokens for deliveries: fetched once, cached, refreshed ahead."""
