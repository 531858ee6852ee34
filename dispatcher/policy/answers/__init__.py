"""Answers of product hosts: read from any bytes, and what each means for an event or a step."""
