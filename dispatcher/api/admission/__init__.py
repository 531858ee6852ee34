"""Admission of callers: token, rate, scopes and reach, before any handler runs."""
