"""The entrance: links, passwords and tickets become a session, and the guest is shown a frame."""
