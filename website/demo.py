"""The page on which a visitor's browser segments a phantom, and the files that it runs on."""

import json
import re
from pathlib import Path
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
    score = run.quality["brats"]["WT"]["patient"]["dice"]["mean"]
    size = (FOLDER / NETWORK).stat().st_size
    return f"""---
hide: [navigation, toc]
---

# Segment a phantom in your browser

`{run.name}` as an ONNX file of {_megabytes(size)} finds a tumour in a made-up head, here, in this page: nothing is
installed, and nothing leaves your machine. **It was taught on {run.data["n_train"]} phantoms and knows no patient.**

{_app(shown, runs)}

## What happens here

The button loads onnxruntime-web {runtime.VERSION} from this site ({_megabytes(runtime.BYTES)}, once; no other host
is asked) and the network. Each slice goes to the network as the data pipeline prepared it for training, on one
thread of your processor. A pixel is tumour where its probability is {run.protocol["evaluate"]["threshold"]} or more.

**The same numbers as in Python.** Beside each slice lie the probabilities that Keras {run.environment["keras"]} gave on
{run.environment["backend"].capitalize().replace("flow", "Flow")} {run.environment["backend_version"]}. The page
compares all {_pixels(shown)} of a slice with its own and says how far they lie apart; the limit is
{_power(LIMIT)}, to which [every export](export.md) is held.

**What the scores mean.** Over {run.data["n_test"]} phantoms that it had not seen, this training has a mean Dice of
{score:.3f}, volume by volume; the {len(shown["phantoms"])} above are the first of them. Scores on phantoms show that a network learns, and nothing about patients; what was measured on patients
stands on [the leaderboard](leaderboard.md). For research; not for diagnosis.

## Make it again

```
{run.command}
make demo-files RUN=results/HOST/runs/RUN
```

trains it ({run.training["epochs"]} epochs, {run.training["seconds"] / 60:.1f} minutes on two cores, seed
{run.run["seed"]}) and writes the files of this page into `website/in_browser`. Another processor gives
[another training](findings/processors.md). The weights here have SHA-256 `{run.training["weights_sha256"][:16]}…`, which
the run's record, the weights file and the ONNX file all state.
"""


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
        tag("noscript", tag("p", "This needs JavaScript, which is off in your browser.")),
        app,
        data("demo-facts", told),
        tag("script", src=f"{PLACE}/demo.js", defer=True),
    )


def _choice(name: str, legend: str, labels: dict[str, str], first: str) -> Html:
    rows = []
    for value, label in labels.items():
        at = f"demo-{name}-{value}"
        box = tag(
            "input", type="radio", name_=name, id=at, value=value, checked=value == first
        )
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


def _pixels(shown: dict[str, Any]) -> str:
    rows, columns = shown["size"]
    return f"{rows * columns:,}"


def _power(value: float) -> str:
    return f"{value:.0e}".replace("e-0", "e-")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.2f} MB" if size < 1e6 else f"{size / 1e6:.0f} MB"
