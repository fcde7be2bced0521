"""The first minute of a new user: a phantom made on the spot, its mask, and the picture."""

from pathlib import Path

from benchmarks.terminal import screen
from benchmarks.terminal.streams import say
from data_pipeline.phantom import write

FOLDER = Path("gliozoo-demo")
SIZE, SEED = 128, 7


def made(out: Path | None) -> tuple[list[Path], Path]:
    """Write a phantom patient; return where it lies, and where its mask is to go."""
    root = out or FOLDER
    scans = write.ensure(root / "scan", "brats", 1, SIZE, SEED)
    return [scans], root / "mask"


def show(masks: Path) -> None:
    """Open the picture where there is a screen, and say where it is in any case."""
    for picture in sorted((masks / "overlays").glob("*.png")):
        say(f"the picture: {picture}")
        screen.open_page(picture.absolute().as_uri())
