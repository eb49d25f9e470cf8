"""Fonts in and out."""
