"""The site builds strictly, every link in it leads somewhere, and what is generated is current."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from exportguard.authoring.catalogue import PAGES

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "-q",
        "-f",
        str(ROOT / ".mkdocs.yml"),
        "-d",
        str(target),
    ]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=env, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return target


class _Page(HTMLParser):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.ids.add(value)
            elif value is not None and ((tag == "a" and name == "href") or (tag == "img" and name == "src")):
                self.links.append(value)


def test_every_link_of_the_site_leads_somewhere(site):
    """Pages, anchors, images; what leaves the site is https and names a host."""
    pages = {path: _Page(path) for path in site.rglob("*.html")}
    broken = []
    for path, page in pages.items():
        if path.name == "404.html":
            continue
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if parts.scheme not in ("https", "mailto") or (parts.scheme == "https" and "." not in parts.netloc):
                    broken.append((str(path.relative_to(site)), link))
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            found = pages.get(target)
            if not target.is_file() or (parts.fragment and found is not None and parts.fragment not in found.ids):
                broken.append((str(path.relative_to(site)), link))
    assert broken == []
    assert len(pages) > 8


def test_the_pages_are_in_the_site(site):
    for page in DOCS.rglob("*.md"):
        name = page.relative_to(DOCS).with_suffix("")
        built = site / "index.html" if str(name) == "index" else site / name / "index.html"
        assert built.is_file(), name


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_generated_page_is_current(name):
    """After a change of a pack or a code: ``make docs``."""
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), "run `make docs`"


LINK = re.compile(r"(?<!!)\[[^\]\n]+\]\(([^)\s]+)\)")


PAGES_AND_READMES = [
    *ROOT.glob("*.md"),
    *DOCS.rglob("*.md"),
    *ROOT.glob("policies/*/README.md"),
    *ROOT.glob("examples/*.md"),
]


@pytest.mark.parametrize("page", sorted(PAGES_AND_READMES), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_in_the_repository_leads_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in LINK.findall(text):
        if "://" in link or link.startswith(("#", "mailto:")):
            assert not link.startswith("http://"), link
            continue
        assert (page.parent / link.partition("#")[0]).exists(), f"{page.name}: {link}"
