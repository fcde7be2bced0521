"""What MkDocs is told beyond `mkdocs.yml`: pages that are made, and files' links as pages'."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from mkdocs.structure.files import File, Files

import zoo
from website import architectures, commands, demo, pages, python, runtime
from zoo.errors import UserError

ASSETS = ("sort.js", "site.css")
# Pages that need the width, or have no neighbours to list beside them.
HIDDEN = {"index.md": ["navigation"], demo.PAGE: ["navigation", "toc"], "leaderboard.md": ["toc"]}
SEARCH = 'data-md-component="search" role="dialog"'


def on_config(config):
    """List every architecture and every decision beside their indexes."""
    decisions = sorted(file.name for file in (pages.DOCS / "decisions").glob("*.md"))
    of_all = [file for file in architectures.WITH_ROWS if (pages.DOCS / file).is_file()]
    each = [f"architectures/{name}.md" for name in architectures.ordered()]
    listed = {
        "architectures/index.md": [*of_all, *each],
        "decisions/index.md": [f"decisions/{name}" for name in decisions],
    }
    for entry in config.nav:
        for title, page in entry.items():
            entry[title] = [page, *listed[page]] if str(page) in listed else page
    return config


def on_files(files: Files, config) -> Files:
    """Add the pages that lie elsewhere, those that are made, and what they are drawn with."""
    made = {page: (pages.ROOT / file).read_text() for file, page in pages.ELSEWHERE.items()}
    made["decisions/index.md"] = pages.index("Decisions", (pages.DOCS / "decisions").glob("*.md"))
    made["architectures/index.md"] = architectures.index()
    made |= {f"architectures/{name}.md": architectures.page(name) for name in zoo.names()}
    made["reference/cli.md"] = commands.page()
    made["reference/python.md"] = python.page()
    made |= {f"assets/{name}": (Path(__file__).parent / name).read_text() for name in ASSETS}
    parts = _runtime()
    shown = demo.facts()
    made[demo.PAGE] = demo.page(shown, runs=bool(parts))
    for path, content in made.items():
        files.append(File.generated(config, path, content=content))
    lying = demo.files(shown) | {f"{demo.PLACE}/{part.name}": part for part in parts}
    for path, place in lying.items():
        files.append(File.generated(config, path, abs_src_path=str(place)))
    return files


def _runtime() -> list[Path]:
    """Return what the demo runs on; the site is built without it where there is no network."""
    try:
        return runtime.ready()
    except UserError as error:
        print(f"The demo will not run in this build. {error}", file=sys.stderr)
        return []


def on_page_markdown(markdown: str, page, **_) -> str:
    """Link what a file links to, and leave out beside it what is of no use there."""
    made = ("architectures/", "reference/", demo.PAGE)
    where = page.file.src_uri
    page.meta["hide"] = HIDDEN.get(where, [])
    listed = where == "decisions/index.md" or where.startswith(made)
    return markdown if listed else pages.linked(markdown, where)


def on_post_page(output: str, page, config) -> str:
    """Hold the page that computes to this site."""
    output = _named(output)
    return demo.guarded(output) if page.file.src_uri == demo.PAGE else output


def on_post_template(output: str, template_name: str, config) -> str:
    """Do as much for the page that says that there is none."""
    return _named(output)


def _named(output: str) -> str:
    """Name the theme's search for who can't see it."""
    return output.replace(SEARCH, f'{SEARCH} aria-label="Search"')


def on_nav(nav, files, **_):
    """Refuse a page that no reader would find."""
    found = {page.file.src_uri for page in nav.pages}
    if lost := {file.src_uri for file in files.documentation_pages()} - found:
        raise SystemExit(f"mkdocs.yml: nav lacks {', '.join(sorted(lost))}.")
    return nav
