"""`python -m website.still`: a picture of a terminal, out of what the commands print.

Each command runs in a terminal of its own, so the picture can show nothing that they don't say.
"""

import io
import os
import pty
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs" / "images" / "terminal.svg"
COLUMNS = 100
# What is typed, and how many lines of the answer are shown.
COMMANDS = (("gliozoo predict sa_unet.lgg --demo", 9), ("gliozoo compare", 20))
THEME = TerminalTheme(
    (24, 28, 34),
    (222, 226, 232),
    [
        (72, 79, 88),
        (255, 123, 114),
        (63, 185, 80),
        (210, 153, 34),
        (88, 166, 255),
        (188, 140, 255),
        (57, 197, 207),
        (177, 186, 196),
    ],
)
# Rich's own frame asks a server for its fonts; this one asks for nothing.
FRAME = """<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
text {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace }}
.{unique_id}-matrix {{ font-size: {char_height}px; line-height: {line_height}px }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g>
</svg>
"""


def answer(command: str, folder: Path) -> str:
    """Run a command, its output in a terminal, and return that and what else it said."""
    ours, theirs = pty.openpty()
    told = os.environ | {"COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
    words = [sys.executable, "-m", "benchmarks", *command.split()[1:]]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(words, cwd=folder, env=told, stdout=theirs, stderr=said) as running,
    ):
        os.close(theirs)
        content = b"".join(iter(lambda: _read(ours), b""))
        running.wait()
        said.seek(0)
        content += said.read()
    os.close(ours)
    if running.returncode:
        raise SystemExit(content.decode())
    return content.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how a terminal says that nobody writes there any more
        return b""


def drawn(answers: dict[str, str]) -> str:
    """Return the picture of commands with their answers, each cut to its lines."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for command, lines in COMMANDS:
        console.print(Text.assemble(("$ ", "green"), (command, "bold")))
        shown = Text.from_ansi(answers[command]).split("\n")
        for line in shown[:lines]:
            console.print(line, no_wrap=True, crop=True)
        if len(shown) > lines:
            console.print(Text("...", "dim"))
        console.print()
    return console.export_svg(title="gliozoo", theme=THEME, code_format=FRAME, unique_id="still")


def main() -> None:
    """Draw the picture out of this checkout's records, in a folder that is thrown away."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "results" / "cpu-2core", folder / "results" / "cpu-2core")
        answers = {command: answer(command, folder) for command, _ in COMMANDS}
    PICTURE.write_text(drawn(answers), encoding="utf-8")
    print(f"Wrote {PICTURE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
