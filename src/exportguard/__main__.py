"""`python -m exportguard`."""

from exportguard.cli import main

main()
