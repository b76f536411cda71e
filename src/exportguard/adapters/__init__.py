"""Enforcement points, one package for each SDK. They know the vocabulary and the reference data, never the guard."""
