"""A scan's page in a real browser: it draws, layers switch by mouse and keyboard, nothing leaves.

Needs Chromium (`apt-get install chromium`) and `pip install playwright axe-playwright-python`.
"""

import threading

import nibabel
import numpy as np
import pytest

from benchmarks.viewing import page, served, shown_scan
from data_pipeline.phantom import write

pytestmark = pytest.mark.slow
WAIT_MS = 120_000
GREEN, ORANGE, PURPLE = (0, 158, 115), (230, 153, 0), (148, 61, 235)  # found, missed, made up


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    root = tmp_path_factory.mktemp("view")
    cohort = write.ensure(root / "phantoms", "brats", 1, 32, 0)
    scan = next(path for path in sorted(cohort.iterdir()) if path.is_dir())
    image = nibabel.load(scan / f"{scan.name}_seg.nii.gz")
    masks = []
    for model, by in (("unet", 1), ("sa_unet", 3)):
        labels = np.roll(np.asarray(image.dataobj).astype(np.uint8), by, 0)
        masks.append(root / model)
        masks[-1].mkdir()
        nibabel.save(nibabel.Nifti1Image(labels, image.affine), masks[-1] / f"{scan.name}.nii.gz")
    return page.page(shown_scan.read(scan, masks, version="2021"))


@pytest.fixture(scope="module")
def file(content, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "scan.html"
    path.write_text(content)
    return path


def visit(browser, address, **settings):
    """Open the page until the scan is drawn; note whatever it says or asks for."""
    context = browser.new_context(**{"viewport": {"width": 800, "height": 700}} | settings)
    context.set_default_timeout(WAIT_MS)
    tab, events = context.new_page(), []
    tab.on("console", lambda message: events.append(message.text))
    tab.on("pageerror", lambda error: events.append(str(error)))
    tab.on("request", lambda request: events.append(request.url))
    tab.goto(address)
    tab.wait_for_selector("html[data-ready]")
    return context, tab, events


def outside(events, address):
    return [event for event in events if not event.startswith((address, "data:", "blob:"))]


@pytest.fixture
def opened(browser, file):
    """Return the open page; at the end it must have said nothing and asked for nothing."""
    context, tab, events = visit(browser, file.as_uri(), color_scheme="light")
    yield tab
    context.close()
    assert outside(events, file.as_uri()) == []


def pixels(tab, place=0) -> np.ndarray:
    """Read what a panel has drawn, as (pixels, 3) levels; as text, which crosses over fastest."""
    drawn = tab.evaluate(
        """place => {
            const { viewer } = panels[place], { gl } = viewer;
            viewer.drawScene();
            const found = new Uint8Array(4 * gl.drawingBufferWidth * gl.drawingBufferHeight);
            gl.readPixels(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight, gl.RGBA,
                          gl.UNSIGNED_BYTE, found);
            return found.toHex ? found.toHex()
                : Array.from(found, (value) => value.toString(16).padStart(2, "0")).join("");
        }""",
        place,
    )
    return np.frombuffer(bytes.fromhex(drawn), np.uint8).reshape(-1, 4)[::7, :3]


def coloured(tab, colour, place=0) -> int:
    """Count the pixels that look rather like a colour than like grey or another one."""
    found = pixels(tab, place).astype(float)
    grey = found.mean(axis=1, keepdims=True)
    hue = found - grey
    strong = np.linalg.norm(hue, axis=1) > 25
    wanted = {
        name: np.subtract(name, np.mean(name)) / np.linalg.norm(np.subtract(name, np.mean(name)))
        for name in (GREEN, ORANGE, PURPLE)
    }
    alike = {name: hue @ direction for name, direction in wanted.items()}
    best = np.argmax(np.stack(list(alike.values())), axis=0)
    return int(np.count_nonzero(strong & (best == list(alike).index(colour))))


def test_it_draws_the_scan_and_the_reference(opened):
    assert opened.title().endswith("GlioZoo view")
    assert opened.evaluate("document.documentElement.dataset.ready") == "yes"
    assert (pixels(opened).std(axis=0) > 10).all()
    assert all(coloured(opened, colour) > 0 for colour in (GREEN, PURPLE))
    assert "Reference: WT" in opened.locator("#where").inner_text()


def test_contrasts_switch(opened):
    opened.keyboard.press("h")  # the scan alone
    flair = pixels(opened)
    assert coloured(opened, GREEN) == 0
    opened.get_by_text("t1ce", exact=True).click()
    assert not np.array_equal(pixels(opened), flair)
    opened.keyboard.press("1")
    assert opened.locator("#contrasts-0").is_checked()
    assert np.array_equal(pixels(opened), flair)


def test_layers_switch(opened):
    reference = pixels(opened)
    select = opened.get_by_label("Layer", exact=True)
    select.select_option(label="unet")
    assert not np.array_equal(pixels(opened), reference)
    select.select_option(label="No layer")
    assert coloured(opened, GREEN) == 0
    opened.locator("h1").click()
    opened.keyboard.press("m")
    assert select.evaluate("one => one.selectedOptions[0].text") == "Reference"
    assert np.array_equal(pixels(opened), reference)


def test_errors_show_what_was_missed_and_what_was_made_up(opened):
    select = opened.get_by_label("Layer", exact=True)
    for region in ("TC", "ET"):
        opened.locator("#regions").get_by_label(region).uncheck()
    assert coloured(opened, ORANGE) == coloured(opened, PURPLE) == 0
    select.select_option(label="sa_unet: errors in WT")
    assert all(coloured(opened, colour) > 0 for colour in (GREEN, ORANGE, PURPLE))
    assert opened.locator(".errors li").all_inner_texts() == ["found", "missed", "made up"]
    select.select_option(label="Masks that differ in WT")
    assert coloured(opened, PURPLE) == 0
    assert coloured(opened, ORANGE) > 0


def test_errors_are_counted_as_the_figures_count_them(opened):
    found = opened.evaluate(
        """() => {
            const count = [0, 0, 0, 0];
            for (const value of errorsOf(1, facts.regions[0])) count[value]++;
            return count;
        }"""
    )
    _, true, missed, false = found
    dice = opened.locator("#figures tbody tr").nth(1).locator("td").nth(2).inner_text()
    assert dice == f"{2 * true / (2 * true + missed + false):.3f}"


def test_regions_can_be_left_out(opened):
    assert coloured(opened, PURPLE) > 0
    opened.locator("#regions").get_by_label("ET").uncheck()
    assert coloured(opened, PURPLE) == 0
    assert coloured(opened, GREEN) > 0
    opened.locator("#regions").get_by_label("WT").uncheck()
    assert coloured(opened, GREEN) == 0


def test_opacity_fades_the_layer(opened):
    for _ in range(6):
        opened.keyboard.press("-")
    assert opened.locator("#opacity").input_value() == "0"
    assert coloured(opened, GREEN) == 0


def test_views_follow_one_another(opened):
    opened.keyboard.press("v")
    assert opened.locator("#views-1").is_checked()
    axial = pixels(opened)
    opened.get_by_text("3D", exact=True).click()
    assert not np.array_equal(pixels(opened), axial)
    assert opened.locator("canvas").first.get_attribute("aria-label").endswith("3D")


def test_slices_go_up_and_down(opened):
    before = opened.locator("#where").inner_text()
    opened.keyboard.press("k")
    after = opened.locator("#where").inner_text()
    assert int(after.split()[1]) == int(before.split()[1]) + 1
    opened.keyboard.press("j")
    assert opened.locator("#where").inner_text() == before


def test_reference_and_prediction_stand_side_by_side_at_one_place(opened):
    opened.keyboard.press("b")
    second = opened.get_by_label("Layer of the second panel")
    assert second.evaluate("one => one.selectedOptions[0].text") == "unet"
    opened.wait_for_function("document.getElementById('beside').ariaPressed === 'true'")
    opened.keyboard.press("k")
    places = opened.evaluate("panels.map(({viewer}) => [...viewer.scene.crosshairPos])")
    assert places[0] == pytest.approx(places[1])
    assert coloured(opened, GREEN, 1) > 0
    opened.keyboard.press("b")
    assert not second.is_visible()


def test_a_narrow_page_does_not_scroll_sideways(opened):
    opened.set_viewport_size({"width": 390, "height": 800})
    assert opened.evaluate("document.documentElement.scrollWidth") == 390


def test_a_browser_without_webgl_still_shows_the_figures(browser, file):
    context = browser.new_context()
    context.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    tab = context.new_page()
    tab.goto(file.as_uri())
    tab.wait_for_selector("html[data-ready='no']", timeout=WAIT_MS)
    assert "can't be drawn" in tab.locator("#where").inner_text()
    assert tab.locator("#figures tbody tr").count() == 9
    context.close()


def test_the_served_page_draws_too_and_asks_for_itself_alone(browser, content):
    with served.Server(content) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        context, tab, events = visit(browser, server.address)
        assert tab.evaluate("document.documentElement.dataset.ready") == "yes"
        context.close()
        assert outside(events, server.address) == []
        server.shutdown()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_serious(opened, serious, theme, width):
    opened.emulate_media(color_scheme=theme)
    opened.set_viewport_size({"width": width, "height": 800})
    opened.locator("summary").click()
    assert serious(opened) == []
