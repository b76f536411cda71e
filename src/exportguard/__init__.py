"""exportguard."""
