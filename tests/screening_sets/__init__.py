"""Labelled names for measuring screening: see README.md for their origin and the split."""
