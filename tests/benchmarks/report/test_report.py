"""The page as text: whole, self-contained, and safe whatever the records say."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import fabricate
import pytest

from benchmarks.__main__ import main
from benchmarks.comparison.compare import compare
from benchmarks.records import record, result_paths
from benchmarks.report import page
from benchmarks.report.html import Html, data, tag

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
HOSTILE = "<script>alert(1)</script>"


class Parsed(HTMLParser):
    """What a browser would find: elements with their attributes, and text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.words, self._open = [], [], []
        self.feed(text)

    def handle_starttag(self, name, attributes):
        self.elements.append((name, dict(attributes)))
        self._open.append(name)

    def handle_endtag(self, name):
        while self._open and self._open.pop() != name:
            pass

    def handle_data(self, content):
        if "script" not in self._open and "style" not in self._open:
            self.words.append(content)

    def named(self, name):
        return [attributes for found, attributes in self.elements if found == name]

    @property
    def text(self):
        return " ".join(self.words)


def page_of(tmp_path, records):
    fabricate.archive(records, tmp_path)
    return page(compare(tmp_path))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    records = fabricate.a_study(count=10, seeds=2)
    failed = replace(
        fabricate.a_record("unet3d"),
        status="failed",
        patients=[],
        error={"kind": "oom", "message": "the process was killed: out of memory"},
    )
    return page_of(tmp_path_factory.mktemp("study"), [*records, failed])


@pytest.mark.thorough
def test_nothing_is_asked_of_the_network(study):
    for _, attributes in Parsed(study).elements:
        for name in ("src", "href", "xlink:href", "action", "poster", "data"):
            value = attributes.get(name) or "#"
            assert value.startswith(("#", "data:")), attributes
    assert "@import" not in study
    assert re.findall(r"url\((?!#)", study) == []


def test_only_its_own_script_may_run(study):
    policy = next(
        attributes["content"]
        for attributes in Parsed(study).named("meta")
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    script = re.search(r"<script>(.*?)</script>", study, flags=re.S)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    runnable = [tag for tag in Parsed(study).named("script") if "type" not in tag]
    assert len(runnable) == 1


def test_ids_are_unique_and_references_hold(study):
    parsed = Parsed(study)
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in parsed.elements:
        for name in ("aria-controls", "for", "href", "xlink:href"):
            target = attributes.get(name, "")
            if target and not target.startswith("data:"):
                assert target.removeprefix("#") in ids, attributes


def test_everything_promised_is_there(study):
    text = Parsed(study).text
    for words in (
        "What may be concluded",
        "has the highest mean Dice",
        "Dice against GFLOPs",
        "How near the roof",
        "gliozoo bench sa_unet --protocol quick --seed 1 --fold 0",
        "the process was killed: out of memory",
        "Claimed by authors",
        "Xeon 2.8 GHz",
        "0a1b2c3d",
        "No overlays lie beside these records",
    ):
        assert words in text, words


def test_figures_have_a_name_and_follow_the_theme(study):
    drawings = [one for one in Parsed(study).named("svg") if one.get("role") == "img"]
    assert len(drawings) == 10
    assert all(drawing["aria-label"] for drawing in drawings)
    body = study[study.index("<main") : study.index("</main>")]
    assert "var(--ink)" in body
    assert "#1d2530" not in body


def test_hostile_names_are_text_everywhere(tmp_path):
    run = {"model": "=cmd()", "variant": HOSTILE, "protocol": HOSTILE, "seed": 0, "fold": 0}
    hostile = fabricate.a_record(
        run=run,
        names=[HOSTILE, '"><img src=x onerror=alert(1)>', "</script><script>alert(1)"],
        dice=[0.5, 0.6, 0.7],
        command=f"gliozoo bench {HOSTILE}",
        environment={"machine": HOSTILE, "cpu": "'\"><b>"},
        card={"title": HOSTILE, "paper": HOSTILE, "claims": [{"dataset": HOSTILE}]},
        history=[{"epoch": 1, "loss": 0.5, "val_dice": 0.5}],
    )
    failed = replace(
        hostile, run={**run, "seed": 1}, status="failed", error={"kind": "x", "message": HOSTILE}
    )
    parsed = Parsed(page_of(tmp_path, [hostile, failed]))
    assert HOSTILE in parsed.text
    assert parsed.named("img") == []
    assert parsed.named("b") == [{}]  # the footer's own
    assert all(name[:2] != "on" for _, attributes in parsed.elements for name in attributes)
    types = [attributes.get("type") for attributes in parsed.named("script")]
    assert sorted(map(str, types)) == ["None", "application/json"]


def test_overlays_that_lie_beside_the_record_are_shown(tmp_path):
    built = fabricate.honest(fabricate.a_record("unet", [0.8, 0.6], names=["p1", "a/b"]))
    path = record.write(built, tmp_path)
    picture = result_paths.overlay_path(result_paths.run_folder(path), "a/b")
    picture.parent.mkdir(parents=True)
    picture.write_bytes(PIXEL)
    parsed = Parsed(page(compare(tmp_path)))
    (image,) = parsed.named("img")
    assert image["src"] == f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}"
    assert image["alt"].startswith("unet on a/b")
    assert "No overlays lie beside" not in parsed.text


@pytest.mark.thorough
@pytest.mark.parametrize(
    "records",
    [
        [fabricate.a_record("unet", [0.8])],
        [fabricate.a_record("unet", cost={}, environment={}, card={}, command="")],
        [fabricate.a_record("unet3d", [0.8, 0.7], regions=("WT", "TC", "ET"))],
        [fabricate.a_record("unet", status="failed", patients=[])],
        [
            fabricate.a_record("unet"),
            fabricate.a_record("sa_unet", protocol={"train": {"epochs": 5}}),
        ],
    ],
    ids=["one patient", "bare", "regions", "all failed", "two tables"],
)
def test_odd_studies_have_a_page(tmp_path, records):
    text = Parsed(page_of(tmp_path, records)).text
    assert "nan" not in text.lower().split()


def test_an_empty_folder_has_a_page(tmp_path):
    assert "No run has finished" in page(compare(tmp_path))


def test_the_command_writes_the_page(tmp_path):
    fabricate.archive([fabricate.a_record()], tmp_path)
    assert main(["report", "--results", str(tmp_path)]) == 0
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")


def test_what_is_not_markup_is_escaped():
    assert tag("p", "<b>", Html("<i>x</i>"), title='"&') == (
        '<p title="&quot;&amp;">&lt;b&gt;<i>x</i></p>'
    )
    assert "</script" not in data("x", "</script>").removesuffix("</script>")
