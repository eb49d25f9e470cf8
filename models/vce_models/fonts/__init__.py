"""Fonts are read, moved by rules, and written."""
