"""Calls of host applications that show a marketplace: ``/v1.0/…`` and ``/account/connectors``, in PascalCase."""
