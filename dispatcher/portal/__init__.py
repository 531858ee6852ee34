"""The page of a product host's developers: one integration's deliveries, pings and keys. Shows nothing of any other."""
