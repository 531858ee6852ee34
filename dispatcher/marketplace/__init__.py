"""The page that a one-time link opens: customers see, install, set up and open products. No rule lives here."""
