"""What the site needs beyond Markdown: links into the repository."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_OUTWARD = re.compile(r"\[([^\]\n]+)\]\((\.\./[^)\s#]*)(#[^)\s]*)?\)")
log = logging.getLogger("mkdocs.hooks.exportguard")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """A link out of the pages into the repository becomes the name of the file, which has to be there."""

    def named(found: re.Match[str]) -> str:
        target = (ROOT / "docs" / Path(page.file.src_path).parent / found[2]).resolve()
        if not target.exists() or not target.is_relative_to(ROOT):
            log.warning("%s links to `%s`, which is not in the repository", page.file.src_path, found[2])
            return found[0]
        return f"{found[1]} (`{target.relative_to(ROOT)}`)"

    return _OUTWARD.sub(named, markdown)
