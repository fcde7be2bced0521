"""The page on which a visitor's browser segments a phantom, and the files that it runs on."""

import json
import math
import re
from pathlib import Path
from string import Template
from typing import Any

from benchmarks.records import record
from benchmarks.report.html import Html, data, digest, tag
from benchmarks.viewing import colours
from website import runtime

FOLDER = Path(__file__).parent / "in_browser"
PAGE, PLACE = "demo.md", "assets/demo"
FACTS, RECORD, PROTOCOL = "demo.json", "record.json", "phantoms.toml"
NETWORK, WEIGHTS = "sa_unet.onnx", "sa_unet.safetensors"
SHOWN = ("demo.js", "demo.css", NETWORK, "onnxruntime.LICENSE.txt")
LIMIT = 1e-4  # of a probability: what every export is held to, and so is the browser
CONTRASTS = {"t1": "T1", "flair": "FLAIR", "t1ce": "T1 with contrast", "t2": "T2"}
FIRST = "flair"  # in which most of a tumour is seen
OFF = "This needs JavaScript, which is off in your browser."
INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
HEAD = "<head>\n"


def part(place: int) -> str:
    """Name the file of a phantom."""
    return f"phantom-{place + 1}.bin"


def facts() -> dict[str, Any]:
    """Read what is known of the phantoms and of Keras' answers."""
    return json.loads((FOLDER / FACTS).read_text(encoding="utf-8"))


def files(shown: dict[str, Any]) -> dict[str, Path]:
    """List what the page loads, by where it lies in the site; the runtime is not among them."""
    names = [*SHOWN, *(part(place) for place in range(len(shown["phantoms"])))]
    return {f"{PLACE}/{name}": FOLDER / name for name in names}


def page(shown: dict[str, Any], *, runs: bool) -> str:
    """Return the page; where the build has no runtime, it says so."""
    run = record.read(FOLDER / RECORD)
    text = Template((FOLDER / PAGE).read_text(encoding="utf-8"))
    return text.substitute(
        app=_app(shown, runs),
        model=run.name,
        network_size=_megabytes((FOLDER / NETWORK).stat().st_size),
        runtime=runtime.VERSION,
        runtime_size=_megabytes(runtime.BYTES),
        taught=run.data["n_train"],
        tested=run.data["n_test"],
        shown=len(shown["phantoms"]),
        threshold=run.protocol["evaluate"]["threshold"],
        keras=run.environment["keras"],
        tensorflow=run.environment["backend_version"],
        pixels=f"{math.prod(shown['size']):,}",
        limit=f"{LIMIT:.0e}".replace("e-0", "e-"),
        dice=f"{run.quality['brats']['WT']['patient']['dice']['mean']:.3f}",
        command=run.command,
        epochs=run.training["epochs"],
        minutes=f"{run.training['seconds'] / 60:.1f}",
        cores=run.environment["cores"],
        seed=run.run["seed"],
        sha256=f"{run.training['weights_sha256'][:16]}…",
    )


def guarded(html: str) -> str:
    """Let the page load what this site has, run its own scripts and WebAssembly, and no more."""
    scripts = " ".join(f"'{digest(found)}'" for found in dict.fromkeys(INLINE.findall(html)))
    policy = (
        "default-src 'self'; base-uri 'self'; form-action 'none'; object-src 'none'; "
        f"script-src 'self' 'wasm-unsafe-eval' {scripts}; style-src 'self'; "
        "img-src 'self' data:"
    )
    meta = tag("meta", http_equiv="Content-Security-Policy", content=Html(policy))
    return html.replace(HEAD, f"{HEAD}{meta}\n", 1)


def _app(shown: dict[str, Any], runs: bool) -> Html:
    if not runs:
        return tag("p", "This build of the site lacks onnxruntime-web.", id="demo-told")
    told = {
        **shown,
        "network": NETWORK,
        "files": [part(place) for place in range(len(shown["phantoms"]))],
        "limit": LIMIT,
        "threshold": record.read(FOLDER / RECORD).protocol["evaluate"]["threshold"],
        "errors": colours.of_errors(),
        "megabytes": _megabytes(runtime.BYTES),
    }
    panels = [
        _panel("reference", "Reference", ["found"], {"found": "tumour"}),
        _panel("answer", "Network", list(colours.of_errors()), {}),
    ]
    phantoms = {str(at): f"Phantom {at + 1}" for at in range(len(shown["phantoms"]))}
    contrasts = {str(at): CONTRASTS[name] for at, name in enumerate(shown["channels"])}
    app = tag(
        "div",
        tag(
            "div",
            _choice("phantom", "Head", phantoms, "0"),
            _slider(len(shown["phantoms"][0]["slices"])),
            _choice("contrast", "Contrast", contrasts, str(shown["channels"].index(FIRST))),
            tag("button", "Segment", type="button", id="demo-run"),
            class_="demo-tools",
        ),
        tag(
            "div",
            tag("div", *panels, class_="demo-panels"),
            tag("div", tag("p", id="demo-told", role="status"), _figures()),
            class_="demo-stage",
        ),
        id="demo",
        hidden=True,
    )
    return tag(
        "div",
        tag("link", rel="stylesheet", href=f"{PLACE}/demo.css"),
        tag("noscript", tag("p", OFF, id="demo-none")),
        app,
        data("demo-facts", told),
        tag("script", src=f"{PLACE}/demo.js", defer=True),
    )


def _choice(name: str, legend: str, labels: dict[str, str], first: str) -> Html:
    rows = []
    for value, label in labels.items():
        at = f"demo-{name}-{value}"
        box = tag("input", type="radio", name_=name, id=at, value=value, checked=value == first)
        rows += [box, tag("label", label, for_=at)]
    return tag("fieldset", tag("legend", legend), tag("span", *rows), class_="demo-choice")


def _slider(slices: int) -> Html:
    label = tag("label", "Slice ", tag("output", id="demo-where"), for_="demo-slice")
    middle = str(slices // 2)
    box = tag("input", type="range", id="demo-slice", min="0", max=str(slices - 1), value=middle)
    return tag("div", label, box, class_="demo-slider")


def _panel(name: str, title: str, kinds: list[str], words: dict[str, str]) -> Html:
    table = colours.of_errors()
    keys = [tag("li", _swatch(table[kind]), words.get(kind, kind)) for kind in kinds]
    return tag(
        "figure",
        tag("canvas", id=f"demo-{name}", role="img", aria_label=title, width="384", height="384"),
        tag("figcaption", tag("strong", title), tag("ul", *keys)),
    )


def _swatch(colour: str) -> Html:
    box = tag("rect", width="12", height="12", rx="3", fill=colour)
    return tag("svg", box, viewBox="0 0 12 12", aria_hidden="true")


def _figures() -> Html:
    rows = [("Dice of this slice", "dice"), ("Tumour, pixels", "pixels")]
    head = tag("tr", tag("td"), tag("th", "This browser", scope="col"), tag("th", "Keras"))
    body = [
        tag(
            "tr",
            tag("th", title, scope="row"),
            *(tag("td", "–", id=f"demo-{name}-{side}") for side in ("here", "python")),
        )
        for title, name in rows
    ]
    wide = [("Largest difference of a probability", "difference"), ("Time of the call", "time")]
    body += [
        tag(
            "tr",
            tag("th", title, scope="row"),
            tag("td", "–", id=f"demo-{name}", colspan="2"),
        )
        for title, name in wide
    ]
    return tag("table", tag("tbody", head, *body), class_="demo-figures", id="demo-figures")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.2f} MB" if size < 1e6 else f"{size / 1e6:.0f} MB"
