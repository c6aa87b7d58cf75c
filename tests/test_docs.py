"""What the documents say, held against the project: settings, commands, targets, decisions, links, versions."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from tests.test_layout import FLOORS
from vault import __version__, config
from vault.cli import COMMANDS
from vault.config import BOUNDS, Settings

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
DECISIONS = sorted((DOCS / "adr").glob("*.md"))
HEADINGS = ["Context", "Decision", "Consequences", "Alternatives"]
# Defaults that depend on the machine or are made there.
MADE = "made at the first start"
TOLD = {"home": "`instance`", "secret_key": MADE, "audit_key": MADE, "worker_threads": "one more than processor cores"}
TOLD["worker_memory_bytes"] = "half of the machine's memory"
LINK = re.compile(r"""(?:\]\(|(?:src|srcset)=")([^)"\s]+)""")
CODE = re.compile(r"```.*?```", re.DOTALL)


def name(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


def fields() -> dict[str, str]:
    """Return every setting with its default, as the page writes it."""
    fresh = Settings(home=Path("<home>"), secret_keys=("none",))
    found = {"secret_key" if field == "secret_keys" else field: value for field, value in vars(fresh).items()}
    return {field: TOLD.get(field, f"`{value}`") for field, value in found.items()}


def described_settings() -> dict[str, tuple[str, str]]:
    """Return default and bounds of every row of the page, by the variable's name."""
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?)\|", (DOCS / "configuration.md").read_text(), re.MULTILINE)
    assert len(rows) == len({variable for variable, _, _ in rows})
    return {variable: (default, bounds.strip()) for variable, default, bounds in rows}


def sections(text: str) -> dict[str, str]:
    """Return the text below each heading of the second level."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def targets(document: Path) -> Iterator[str]:
    """Yield the relative links of a document."""
    for target in LINK.findall(CODE.sub("", document.read_text())):
        if not re.match(r"[a-z]+:", target):
            yield target


def parameters(command: click.Command) -> list[click.Parameter]:
    """Return what a command can be given; of a group, what its commands can."""
    below = command.commands.values() if isinstance(command, click.Group) else []
    return [*command.params, *(param for each in below for param in each.params)]


def anchor(heading: str) -> str:
    """Return what a heading is called in an address."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_every_setting_is_described_and_nothing_else() -> None:
    assert set(described_settings()) == {f"VAULT_{field.upper()}" for field in fields()}


@pytest.mark.parametrize("field", sorted(fields()))
def test_a_setting_has_the_default_that_is_described(field: str) -> None:
    assert described_settings()[f"VAULT_{field.upper()}"][0] == fields()[field]


@pytest.mark.parametrize("field", sorted(BOUNDS))
def test_a_setting_has_the_bounds_that_are_described(field: str) -> None:
    least, most = BOUNDS[field]
    bounds = f"{least} or more" if most is None else f"{least} to {most}"
    assert described_settings()[f"VAULT_{field.upper()}"][1] == bounds


def test_every_setting_is_one_that_is_read() -> None:
    read = {*BOUNDS, *config.ADDRESSES, "home", "delivery", "history_addresses", "secret_key", "audit_key"}
    assert set(fields()) == read


@pytest.mark.parametrize("document", PAGES, ids=name)
def test_a_page_speaks_of_no_other_setting(document: Path) -> None:
    assert set(re.findall(r"VAULT_[A-Z_]+", document.read_text())) <= set(described_settings())


def test_every_command_is_described_and_nothing_else() -> None:
    described = sections((DOCS / "commands.md").read_text())
    assert list(described) == [f"`{command.name}`" for command in COMMANDS]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_option_of_a_command_is_described_and_no_other(command: click.Command) -> None:
    described = sections((DOCS / "commands.md").read_text())[f"`{command.name}`"]
    options = {option for param in parameters(command) if isinstance(param, click.Option) for option in param.opts}
    assert set(re.findall(r"^\| `(--[\w-]+)`", described, re.MULTILINE)) == options


@pytest.mark.parametrize("document", PAGES, ids=name)
def test_a_command_on_a_page_exists(document: Path) -> None:
    text = document.read_text()
    known: dict[str, Any] = {command.name or "": command for command in COMMANDS}
    for command, rest in re.findall(r"manage\.py ([a-z][\w-]*)([^`\n]*)", text):
        assert command in known
        options = {option for param in parameters(known[command]) for option in param.opts}
        assert set(re.findall(r"--[\w-]+", rest)) <= options | {"--help"}


@pytest.mark.parametrize("document", PAGES, ids=name)
def test_a_target_of_make_on_a_page_exists(document: Path) -> None:
    known = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = re.findall(r"(?:^|`)make ([a-z]+)", document.read_text(), re.MULTILINE)
    assert set(shown) <= known


def test_the_readme_shows_the_two_commands_that_matter() -> None:
    assert re.findall(r"^make \w+$", (ROOT / "README.md").read_text(), re.MULTILINE) == ["make run", "make test"]


def test_the_readme_asks_for_the_python_that_the_package_asks_for() -> None:
    asked = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text())
    assert asked
    assert f"Python {asked[1]} or newer" in (ROOT / "README.md").read_text()


def test_the_decisions_are_numbered_without_a_gap() -> None:
    numbers = [page.name.partition("-")[0] for page in DECISIONS]
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]
    assert numbers


@pytest.mark.parametrize("document", DECISIONS, ids=name)
def test_a_decision_has_its_four_parts(document: Path) -> None:
    text = document.read_text()
    parts = sections(text)
    assert list(parts) == HEADINGS
    assert all(part.strip() for part in parts.values())
    assert text.startswith(f"# {document.name.partition('-')[0]} ")


@pytest.mark.parametrize("document", PAGES, ids=name)
def test_a_link_leads_to_a_file_and_a_heading(document: Path) -> None:
    for target in targets(document):
        path, _, fragment = target.partition("#")
        file = document.parent / path if path else document
        assert file.exists(), target
        if fragment:
            headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
            assert fragment in {anchor(heading) for heading in headings}, target


def test_the_floors_are_drawn_as_they_are_kept() -> None:
    lines = re.findall(r"^ (\d)  (.{46})", (DOCS / "architecture.md").read_text(), re.MULTILINE)
    drawn = {room: int(floor) for floor, rooms in lines for room in re.findall(r"[a-z]+", rooms)}
    assert drawn == FLOORS


def test_a_document_named_in_the_code_exists() -> None:
    sources = [path for folder in ("vault", "tests", "bench") for path in (ROOT / folder).rglob("*.py")]
    named = {found for path in sources for found in re.findall(r"docs/[\w./-]+\.\w+", path.read_text())}
    assert "docs/adr/0002-one-decision.md" in named
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_the_changelog_speaks_of_this_version_first() -> None:
    versions = re.findall(r"^## \[(.+?)\] - \d{4}-\d{2}-\d{2}$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == __version__
