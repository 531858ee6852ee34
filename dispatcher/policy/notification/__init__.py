"""Notifications: body, headers, signatures, and their verification."""
