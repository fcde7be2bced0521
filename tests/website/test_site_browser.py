"""The site in a real browser: tables sort, no host is asked, axe finds nothing serious.

Needs Chromium (`apt-get install chromium`), MkDocs, playwright and axe-playwright-python.
"""

import pytest

pytestmark = pytest.mark.slow
pytest.importorskip("mkdocstrings", reason="needs MkDocs: pip install --editable '.[docs]'")
PAGES = ("index", "demo", "leaderboard", "architectures/sa_unet", "reference/cli")


@pytest.fixture
def tab(browser):
    """Return an empty tab; at the end it must have asked for nothing but files."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(120_000)
    opened, events = context.new_page(), []
    opened.on("pageerror", lambda error: events.append(str(error)))
    opened.on("request", lambda request: events.append(request.url))
    yield opened
    context.close()
    assert [event for event in events if not event.startswith(("file:", "data:"))] == []


def test_the_leaderboard_sorts_both_ways(tab, site):
    tab.goto((site / "leaderboard.html").as_uri())
    table = tab.locator("article table").first
    heading = table.locator("th", has_text="HD95")
    column = heading.evaluate("cell => cell.cellIndex")

    def values():
        cells = table.locator(f"tbody tr > :nth-child({column + 1})").all_inner_texts()
        return [float(cell.split()[0]) for cell in cells]

    assert len(values()) > 5
    heading.locator("button").click()
    assert values() == sorted(values())
    assert heading.get_attribute("aria-sort") == "ascending"
    heading.locator("button").press("Enter")
    assert values() == sorted(values(), reverse=True)


def test_models_stay_in_sight_while_a_wide_table_scrolls(tab, site):
    tab.goto((site / "leaderboard.html").as_uri())
    scrolled = tab.locator(".md-typeset__scrollwrap").first
    left = scrolled.bounding_box()["x"]
    scrolled.evaluate("wrap => wrap.scrollBy(400, 0)")
    model = scrolled.locator("tbody .stays").first
    assert model.bounding_box()["x"] == pytest.approx(left, abs=1)
    assert scrolled.locator("tbody td").first.bounding_box()["x"] < left


def test_a_narrow_page_does_not_scroll_sideways(tab, site):
    tab.set_viewport_size({"width": 390, "height": 800})
    for page in PAGES:
        tab.goto((site / f"{page}.html").as_uri())
        assert tab.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser, site, serve, serious, theme):
    """Served, because the theme searches only then."""
    address = serve(site)
    tab = browser.new_page(color_scheme=theme)
    told = []
    for page in PAGES:
        tab.goto(f"{address}/{page}.html")
        told += [(page, *found) for found in serious(tab)]
    tab.close()
    assert told == []
