"""Reading documents strictly: every problem has a place and a remedy, and nothing is read half.

JSON and YAML alike: duplicate keys, NaN, anchors, tags, nesting and sizes past the limits are refused.
"""

from exportguard.documents.jsontext import MAX_BYTES, MAX_DEPTH, decode, parse_json
from exportguard.documents.validation import describe, validate, validate_as, word_for
from exportguard.documents.yamltext import Path_, as_json, parse_yaml

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "Path_",
    "as_json",
    "decode",
    "describe",
    "parse_json",
    "parse_yaml",
    "validate",
    "validate_as",
    "word_for",
]
