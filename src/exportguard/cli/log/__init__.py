"""`exportguard log` and its verbs."""

from exportguard.cli.log import export, replay
from exportguard.cli.log.look import app, find, opened

__all__ = ["app", "export", "find", "opened", "replay"]
