"""The site as MkDocs builds it: every link leads somewhere, and no page asks another host."""

from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest

import zoo

pytestmark = pytest.mark.slow
pytest.importorskip("mkdocs", reason="needs MkDocs: pip install --editable '.[docs]'")
pytest.importorskip("mkdocstrings", reason="needs mkdocstrings: pip install --editable '.[docs]'")
LIMIT_BYTES = 2_000_000


class Links(HTMLParser):
    """Notes what a page links to, what it loads, and the names of its parts."""

    def __init__(self):
        super().__init__()
        self.links, self.loaded, self.parts = set(), set(), set()

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.parts |= {found[key] for key in ("id", "name") if found.get(key)}
        if tag == "a" or found.get("rel") in ("canonical", "next", "prev"):
            self.links |= {found["href"]} if found.get("href") else set()
        elif tag in ("link", "script", "img"):
            self.loaded |= {found[key] for key in ("href", "src") if found.get(key)}


@pytest.fixture(scope="module")
def read(site):
    found = {}
    for path in site.rglob("*.html"):
        if path.name != "404.html":  # whose links are those of a site's root
            found[path] = Links()
            found[path].feed(path.read_text())
    return found


def test_there_is_a_page_for_everything(site):
    for name in zoo.names():
        assert (site / "architectures" / f"{name}.html").is_file()
    for page in ("index", "leaderboard", "reference/cli", "reference/python", "decisions/index"):
        assert (site / f"{page}.html").is_file()


def test_every_link_leads_somewhere(read):
    lost = []
    for page, found in read.items():
        for link in found.links | found.loaded:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            goal = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            goal = goal / "index.html" if goal.is_dir() else goal
            named = read[goal].parts if goal in read else None
            if not goal.is_file() or (parts.fragment and named and parts.fragment not in named):
                lost.append((page.name, link))
    assert lost == []


def test_no_page_loads_anything_from_another_host(read):
    outside = {link for found in read.values() for link in found.loaded if urlsplit(link).netloc}
    assert outside == set()


def test_python_names_are_documented(site):
    content = (site / "reference" / "python.html").read_text()
    for name in (
        "zoo.creating.create",
        "data_pipeline.loading.load",
        "benchmarks.python.runs.bench",
    ):
        assert f'id="{name}"' in content


def test_pages_are_light(site):
    assert max(path.stat().st_size for path in site.rglob("*.html")) < LIMIT_BYTES
