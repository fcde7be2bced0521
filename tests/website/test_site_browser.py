"""The site in a real browser: tables sort, no host is asked, axe finds nothing serious.

Needs Chromium (`apt-get install chromium`), MkDocs, playwright and axe-playwright-python.
"""

import shutil

import pytest

pytestmark = pytest.mark.slow
pytest.importorskip("mkdocstrings", reason="needs MkDocs: pip install --editable '.[docs]'")
playwright = pytest.importorskip(
    "playwright.sync_api", reason="needs playwright: pip install playwright axe-playwright-python"
)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None:
    pytest.skip("needs Chromium: apt-get install chromium", allow_module_level=True)
PAGES = ("index", "leaderboard", "architectures/sa_unet", "reference/cli")


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


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


def test_a_narrow_page_does_not_scroll_sideways(tab, site):
    tab.set_viewport_size({"width": 390, "height": 800})
    for page in PAGES:
        tab.goto((site / f"{page}.html").as_uri())
        assert tab.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(tab, site, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-core")
    tab.emulate_media(color_scheme=theme)
    told = []
    for page in PAGES:
        tab.goto((site / f"{page}.html").as_uri())
        found = axe.Axe().run(tab).response["violations"]
        serious = [rule for rule in found if rule["impact"] in ("serious", "critical")]
        told += [(page, rule["id"], rule["nodes"][0]["html"][:120]) for rule in serious]
    assert told == []
