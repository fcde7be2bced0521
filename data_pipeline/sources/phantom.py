"""Phantom cohorts: what `gliozoo data phantom` wrote, in whichever layout.

    phantom.json beside the files of one of the layouts lgg, brats, msd, nnunet

The marker names the layout and, with it, what the label values mean, so that nobody has to.
"""

from pathlib import Path

from data_pipeline import sources
from data_pipeline.cases.case import Dataset
from data_pipeline.errors import UserError
from data_pipeline.phantom import write

TITLE = "Synthetic gliomas"
VERSIONS: tuple[str, ...] = ()
BRATS_YEAR = "2021"  # whose names and label values the phantom writes


def detect(root: Path) -> str | None:
    """Look for the marker of a cohort."""
    return write.MARKER if write.facts(root) else None


def find(root: Path, version: str | None = None) -> Dataset:
    """Find the patients of a cohort through the source of the layout that it is written in."""
    facts = write.facts(root)
    if not facts or facts.get("layout") not in write.LAYOUTS:
        raise UserError(
            f"{root}: expected a phantom cohort (with {write.MARKER}); write one with "
            f"`gliozoo data phantom {root}`."
        )
    layout = facts["layout"]
    year = BRATS_YEAR if layout == "brats" else None
    return sources.load(layout).find(root, year)
