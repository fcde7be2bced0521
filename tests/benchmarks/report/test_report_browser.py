"""The page in a real browser: no message, no request, everything works by mouse and keyboard.

Needs Chromium (`apt-get install chromium`) and `pip install playwright axe-playwright-python`.
"""

from dataclasses import replace

import fabricate
import pytest

from benchmarks.comparison.compare import compare
from benchmarks.report import page

pytestmark = pytest.mark.slow
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    records = fabricate.a_study(count=15, seeds=2)
    for one in records:
        one.patients[3]["patient"] = HOSTILE
    hostile = {"model": "=cmd()", "variant": None, "protocol": HOSTILE, "seed": 0, "fold": 0}
    protocol = records[0].protocol | {"train": {"epochs": 1}}  # which has a table of its own
    changes = {"run": hostile, "protocol": protocol}
    records.append(fabricate.a_record(names=["x"], dice=[0.5], **changes))
    records.append(replace(fabricate.a_record("unet3d"), status="failed", patients=[]))
    fabricate.archive(records, folder)
    path = folder / "report.html"
    path.write_text(page(compare(folder)))
    return path


@pytest.fixture
def opened(browser, file):
    """Return the open page; at the end it must have said nothing and asked for nothing."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    tab = context.new_page()
    events = []
    tab.on("console", lambda message: events.append(message.text))
    tab.on("pageerror", lambda error: events.append(str(error)))
    tab.on("dialog", lambda dialog: (events.append(dialog.message), dialog.dismiss()))
    tab.on("request", lambda request: events.append(request.url))
    tab.goto(file.as_uri())
    yield tab
    outside = [event for event in events if not event.startswith((file.as_uri(), "data:"))]
    context.close()
    assert outside == []


def names(tab):
    return tab.locator("#ranking-1 tbody tr:not(.detail):visible .expand").all_inner_texts()


def column(tab, place):
    cells = tab.locator(f"#ranking-1 > tbody > tr:not(.detail) > :nth-child({place})")
    return [cell.get_attribute("data-sort") for cell in cells.all()]


def test_it_opens(opened):
    assert opened.title() == "GlioZoo: comparison"
    assert opened.locator("h1").inner_text().startswith("GlioZoo")
    assert len(names(opened)) == len(fabricate.MODELS)


def test_columns_sort_both_ways(opened):
    heading = opened.locator("#ranking-1 > thead th", has_text="IoU")
    heading.locator("button").click()
    values = [float(value) for value in column(opened, 4)]
    assert values == sorted(values, reverse=True)
    assert heading.get_attribute("aria-sort") == "descending"
    heading.locator("button").press("Enter")
    values = [float(value) for value in column(opened, 4)]
    assert values == sorted(values)
    assert opened.locator("#ranking-1 [aria-sort]").count() == 1


def test_names_sort_as_text(opened):
    opened.locator("#ranking-1 th button", has_text="Model").click()
    assert names(opened) == sorted(fabricate.MODELS)


def test_an_open_detail_moves_with_its_row(opened):
    opened.locator("#ranking-1 .expand").first.click()
    opened.locator("#ranking-1 th button", has_text="Dice").first.press("Enter")
    opened.locator("#ranking-1 th button", has_text="Dice").first.press("Enter")
    open_row = opened.locator("#ranking-1 tr:has([aria-expanded=true])")
    controlled = open_row.locator(".expand").get_attribute("aria-controls")
    assert open_row.evaluate("row => row.nextElementSibling.id") == controlled


def test_rows_filter(opened):
    opened.get_by_label("Filter models").first.fill("ATTENTION")
    assert sorted(names(opened)) == ["attention_unet", "res_attention_unet"]
    assert opened.locator("output[for='filter-ranking-1']").inner_text() == "2 of 8"
    opened.get_by_label("Filter models").first.fill("")
    assert len(names(opened)) == 8


def test_a_row_tells_its_provenance(opened):
    button = opened.locator("#ranking-1 .expand").first
    button.press("Enter")
    detail = opened.locator(f"#{button.get_attribute('aria-controls')}")
    assert detail.is_visible()
    assert "seeds 0, 1" in detail.inner_text()
    button.press("Enter")
    assert not detail.is_visible()


def test_a_hint_shows_on_hover(opened):
    opened.locator("#ranking-1 tbody td[data-tip]").nth(1).hover()
    assert "95 % interval" in opened.locator("#tip").inner_text()
    opened.keyboard.press("Escape")
    assert not opened.locator("#tip").is_visible()


def test_patients_drill_down_and_hostile_names_are_text(opened):
    opened.get_by_label("Filter patients").first.fill("alert")
    button = opened.locator("#patients-1 .patient:visible")
    assert button.inner_text() == HOSTILE
    button.click()
    detail = opened.locator("#patients-1 tr.detail")
    assert detail.locator("tbody tr").count() == len(fabricate.MODELS)
    assert HOSTILE in detail.locator("caption").text_content()
    button.click()
    assert not detail.is_visible()


def test_the_theme_changes_and_stays(opened):
    def background():
        return opened.evaluate("getComputedStyle(document.body).backgroundColor")

    light = background()
    opened.locator("#theme").click()
    opened.locator("#theme").click()
    assert opened.locator("#theme").inner_text() == "Theme: dark"
    dark = background()
    assert dark != light
    opened.reload()
    assert background() == dark


def test_a_narrow_page_does_not_scroll_sideways(opened):
    opened.set_viewport_size({"width": 400, "height": 800})
    assert opened.evaluate("document.documentElement.scrollWidth") == 400
    assert opened.locator("#ranking-1").is_visible()


def test_the_keyboard_reaches_every_control(opened):
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.className") == "skip"
    reached = set()
    for _ in range(40):
        opened.keyboard.press("Tab")
        reached.add(opened.evaluate("document.activeElement.tagName"))
    assert {"BUTTON", "A", "INPUT"} <= reached


def test_it_prints(opened):
    opened.emulate_media(media="print", color_scheme="dark")
    assert opened.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert not opened.locator("#theme").is_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_axe_finds_nothing_serious(opened, serious, theme, width):
    opened.emulate_media(color_scheme=theme)
    opened.set_viewport_size({"width": width, "height": 900})
    opened.locator("#ranking-1 .expand").first.click()
    opened.locator("#patients-1 .patient").first.click()
    assert serious(opened) == []
