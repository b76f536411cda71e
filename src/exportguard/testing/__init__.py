"""For test suites that hold a policy to its word: builders of requests, and assertions that say what went wrong."""

from exportguard.testing.assertions import assert_allowed, assert_denied, assert_held
from exportguard.testing.builders import UNKNOWN, request

__all__ = ["UNKNOWN", "assert_allowed", "assert_denied", "assert_held", "request"]
