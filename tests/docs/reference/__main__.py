"""Writes every generated page of the documentation anew."""

from tests.docs.reference.pages import write

write()
