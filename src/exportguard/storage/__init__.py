"""Where the decision log and the ledger keep what they keep: SQLite for one machine, PostgreSQL for several.

A room of its own because `record` and `authority` share one file by default and may not import one another.
"""

from exportguard.storage.contract import Schema, Session, StorageError, is_like
from exportguard.storage.database import Database, do_all
from exportguard.storage.opening import open_database
from exportguard.storage.places import default_store

__all__ = ["Database", "Schema", "Session", "StorageError", "default_store", "do_all", "is_like", "open_database"]
