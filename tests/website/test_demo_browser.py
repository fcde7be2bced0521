"""The demo in a real browser: Keras' numbers, this site's files alone, a sentence if it fails.

Needs Chromium (`apt-get install chromium`), MkDocs, playwright, and onnxruntime-web from npm.
"""

import re

import pytest

from website import demo, demo_files, runtime
from zoo.errors import UserError

pytestmark = pytest.mark.slow
pytest.importorskip("mkdocstrings", reason="needs MkDocs: pip install --editable '.[docs]'")
WAIT_MS = 120_000
LIMIT_BYTES = 2_000_000
CLOSE = 1e-5  # what docs/export.md says of the difference: a tenth of the limit
SHOWN = demo.facts()


@pytest.fixture(scope="module")
def address(site, serve):
    try:
        runtime.ready()
    except UserError as error:
        pytest.skip(str(error))
    return serve(site)


@pytest.fixture
def visit(browser, address):
    """Return a function that opens the demo; at the end no page has asked for another host."""
    contexts, events, asked = [], [], []

    def opened(**settings):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | settings)
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda message: events.append(message.text))
        tab.on("pageerror", lambda error: events.append(str(error)))
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(f"{address}/demo.html")
        return tab

    opened.events, opened.asked = events, asked
    yield opened
    for context in contexts:
        context.close()
    assert [url for url in asked if not url.startswith((address, "data:"))] == []


def told(tab, words):
    """Wait until the page says something; a `wait_for_function` is what its policy forbids."""
    tab.locator("#demo-told").filter(has_text=re.compile(words)).wait_for()


def shown(tab, what):
    """Wait until a head, a slice and a contrast are drawn with the network's answer."""
    tab.locator(f"#demo[data-shown='{what}']").wait_for()


@pytest.fixture
def segmented(visit):
    """Return the page after the button was pressed by the keyboard, with nothing complained of."""
    tab = visit()
    told(tab, "Press Segment")
    tab.locator("#demo-run").focus()
    tab.keyboard.press("Enter")
    told(tab, "Dice")
    yield tab
    assert visit.events == []


def drawn(tab, name):
    """Return the pixels of a picture as text."""
    return tab.locator(f"#demo-{name}").evaluate("canvas => canvas.toDataURL()")


def test_nothing_is_loaded_for_the_network_until_it_is_asked_for(visit):
    tab = visit()
    told(tab, "Press Segment")
    tab.wait_for_load_state("networkidle")
    sizes = tab.evaluate(
        "performance.getEntriesByType('resource').map((one) => one.decodedBodySize)"
    )
    assert 100_000 < sum(sizes) < LIMIT_BYTES
    assert [url for url in visit.asked if ".wasm" in url or url.endswith(".onnx")] == []


def test_every_slice_has_the_numbers_of_keras(segmented):
    largest = 0.0
    for place, phantom in enumerate(SHOWN["phantoms"]):
        segmented.locator(f"label[for=demo-phantom-{place}]").click()
        for slice_, known in enumerate(phantom["slices"]):
            segmented.locator("#demo-slice").fill(str(slice_))
            shown(segmented, f"{place}/{slice_}/1")
            assert segmented.locator("#demo-where").inner_text() == (
                f"{known['number'] + 1} of {phantom['depth']}"
            )
            told(segmented, "the same as Keras within the limit")
            cell = segmented.locator("#demo-difference").inner_text()
            largest = max(largest, float(cell.split()[0]))
            for side in ("here", "python"):
                values = [segmented.locator(f"#demo-{name}-{side}") for name in ("dice", "pixels")]
                expected = [f"{known['dice']:.4f}", str(known["pixels"])]
                assert [value.inner_text() for value in values] == expected
    assert 0 < largest < CLOSE


def test_the_probabilities_are_those_of_keras_without_the_page_s_own_word(segmented):
    """The page compares; here its runtime is asked again, and compared outside of it."""
    slices = demo_files.read(demo.FOLDER / demo.part(0), SHOWN, 0)
    images = slices.images(SHOWN["phantoms"][0]["scales"])
    answers = segmented.evaluate(
        """async ({network, image, shape}) => {
            const session = await ort.InferenceSession.create(network);
            const [input, output] = [session.inputNames[0], session.outputNames[0]];
            const given = new ort.Tensor("float32", Float32Array.from(image), shape);
            return Array.from((await session.run({[input]: given}))[output].data);
        }""",
        {
            "network": f"{demo.PLACE}/{demo.NETWORK}",
            "image": images[:1].ravel().tolist(),
            "shape": [1, *images.shape[1:]],
        },
    )
    assert abs(slices.expected[0].ravel() - answers).max() <= demo.LIMIT


def test_slices_contrasts_and_heads_change_by_the_keyboard(segmented):
    before = drawn(segmented, "answer"), drawn(segmented, "reference")
    segmented.locator("#demo-slice").focus()
    segmented.keyboard.press("ArrowRight")
    shown(segmented, "0/3/1")
    segmented.locator("#demo-phantom-0").focus()
    segmented.keyboard.press("ArrowRight")
    shown(segmented, "1/3/1")
    segmented.locator("#demo-contrast-1").focus()
    segmented.keyboard.press("ArrowLeft")
    shown(segmented, "1/3/0")
    assert (drawn(segmented, "answer"), drawn(segmented, "reference")) != before
    assert "found" in segmented.locator("#demo-answer").get_attribute("aria-label")


def test_a_runtime_that_does_not_come_is_one_sentence(visit):
    tab = visit()
    tab.route("**/*.wasm", lambda route: route.abort())
    tab.locator("#demo-run").click()
    told(tab, r"The network can't run here: .+\.")


def test_a_page_opened_as_a_file_says_what_it_lacks(browser, address, site):
    tab = browser.new_page()
    tab.goto((site / "demo.html").as_uri())
    told(tab, "a page opened as a file may load nothing; serve the site's folder")
    tab.close()


def test_without_scripts_the_page_says_so(visit):
    tab = visit(java_script_enabled=False)
    assert tab.locator("#demo-none").is_visible()
    assert not tab.locator("#demo").is_visible()


def test_the_page_may_not_be_made_to_ask_another_host(segmented, visit):
    failed = segmented.evaluate(
        "fetch('https://example.org/').then(() => 'came', (error) => error.name)"
    )
    assert failed == "TypeError"
    assert any("Content Security Policy" in event for event in visit.events)
    visit.events.clear()
    visit.asked[:] = [url for url in visit.asked if "example.org" not in url]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_serious(segmented, serious, theme, width):
    segmented.emulate_media(color_scheme=theme)
    segmented.set_viewport_size({"width": width, "height": 844})
    assert serious(segmented) == []
    assert segmented.evaluate("document.documentElement.scrollWidth") == width
