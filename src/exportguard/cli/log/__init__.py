"""`exportguard log` and its verbs."""

from exportguard.cli.log import export, replay
from exportguard.cli.log.look import app, find, is_there, opened

__all__ = ["app", "export", "find", "is_there", "opened", "replay"]
