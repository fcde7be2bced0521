"""A preset's card as the Hugging Face Hub reads it: a YAML head, then words for people."""

import json
from typing import TYPE_CHECKING

from zoo.presets.preset import Preset

if TYPE_CHECKING:
    from benchmarks.releasing.pictures import Cases

LICENCES = {"Apache-2.0": "apache-2.0", "CC BY-NC-SA 4.0": "cc-by-nc-sa-4.0"}


def text(preset: Preset, cases: "Cases | None" = None) -> str:
    """Write the card of a preset as Markdown, with the pictures of cases that lie beside it."""
    failures = _failures(cases) if cases else ""
    return f"---\n{_head(preset)}---\n\n{_body(preset)}{failures}"


def _failures(cases: "Cases") -> str:
    """Show the best, the median and the worst case, and say of whom they are."""
    of = cases.source or "phantoms, which are made by a program and unlike any scanner's patients"
    shown = "\n\n".join(
        f"![The {one.role} case: image, reference, prediction, error]({one.file.name})\n\n"
        f"The {one.role} of {cases.patients}: {one.patient}, Dice {one.dice:.3f}."
        for one in cases.pictures
    )
    return f"\n## Where it fails\n\nScored on {cases.patients} cases of {of}.\n\n{shown}\n"


def _head(preset: Preset) -> str:
    """Write the YAML head; JSON strings are YAML's."""
    licence = LICENCES.get(preset.licence_weights, "other")
    lines = [
        f"license: {licence}",
        *([f"license_name: {json.dumps(preset.licence_weights)}"] if licence == "other" else []),
        "library_name: keras",
        "pipeline_tag: image-segmentation",
        "tags: [medical, mri, glioma, brain-tumour, segmentation, gliozoo]",
        "model-index:",
        f"- name: {json.dumps(preset.name)}",
        "  results:",
    ]
    for one in preset.dice:
        lines += [
            "  - task: {type: image-segmentation}",
            f"    dataset: {{name: {json.dumps(preset.data)}, type: {json.dumps(preset.layout)}}}",
            "    metrics:",
            f"    - {{type: dice, name: {json.dumps(f'Dice, {one.region}, by patient')}, "
            f"value: {one.mean}}}",
        ]
    return "\n".join(lines) + "\n"


def _body(preset: Preset) -> str:
    rows = "\n".join(
        f"| {one.region} | {one.mean:.3f} | {one.lower:.3f} to {one.upper:.3f} | {one.patients} |"
        for one in preset.dice
    )
    limits = "\n".join(f"- {limit}" for limit in preset.limits)
    files = "\n".join(
        f"| {one.file} | {one.fold} | {one.bytes:,} | `{one.sha256}` |" for one in preset.files
    )
    return f"""# {preset.name}

{preset.summary}. {preset.intended_use[:1].upper()}{preset.intended_use[1:]}.

```
gliozoo predict {preset.name} scans/ --out masks/
```

It takes {", ".join(preset.channels)}, by name{_at(preset.spacing)}; \
{len(preset.files)} network(s), whose answers are averaged{_tidied(preset.smallest)}.

## Data

{preset.data}. Licences: code {preset.licence_code}; weights {preset.licence_weights}; data \
{preset.licence_data}. {len(preset.scans)} files of scans that taught it are known by digest: \
`gliozoo predict` warns where it meets one.

## Results

Dice by patient, each scored by a network that was not trained on this patient, with a 95 % interval
over patients.

| region | mean | interval | patients |
|---|---|---|---|
{rows}

Protocol `{preset.protocol}`, digest `{preset.protocol_digest[:16]}`.

## Limits

{limits}

## Files

| file | fold | bytes | SHA-256 |
|---|---|---|---|
{files}
"""


def _tidied(smallest: float) -> str:
    left_out = f"components of the lesion below {smallest:.2g} of the largest one are left out"
    return f"; {left_out}" if smallest else ""


def _at(spacing: str) -> str:
    return f", at {spacing}" if spacing else ""
