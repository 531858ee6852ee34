"""``dispatcher listen``: real notifications on a developer's machine, beside the host that they are meant for."""
