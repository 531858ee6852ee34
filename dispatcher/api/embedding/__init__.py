"""What host applications call to show a marketplace: ``/v1.0/…`` and ``/account/connectors``, in PascalCase."""
