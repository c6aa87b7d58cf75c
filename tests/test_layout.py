"""The floors of the house (docs/adr): imports go down only, and rooms keep to their size and their doors.

Each rule is a function over a whole tree of sources, {path: text}, that yields complaints. It is asked
about the project, where it must find nothing, and about a small bad sample, where it must find something.
"""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[1]

# From the ground up; the rooms of one line stand on one floor.
ROOMS = {
    5: "app serve",
    4: "web cli",
    3: "services",
    2: "policy audit jobs leftovers describing pairing",
    1: "models storage",
    0: "archives chain config db devices imaging logs names passwords signing tables terms",
}
FLOORS = {room: floor for floor, rooms in ROOMS.items() for room in rooms.split()}
# Files of a folder that its other files, and those of its subfolders, may use besides `__init__`.
HALLS = {
    "vault.services.backups": {"manifest"},
    "vault.services.editions": {"making"},
    "vault.services.uploads": {"fitting", "pouring", "promises"},
    "vault.storage": {"durable", "hold", "incoming"},
    "vault.web": {"access", "captions", "delivery", "facts", "linkterms", "receiving", "taking", "tiles", "visitors"},
    "vault.web.api": {"protocol", "shapes"},
    "vault.web.tus": {"headers"},
}
# Folders that are one workshop: rows refer to rows and the steps of a picture to each other, but never in a circle.
WORKSHOPS = {"cli", "imaging", "models", "policy"}

FLASK = {"flask", "flask_login", "flask_migrate", "flask_smorest", "flask_wtf"}
LOWEST_FLASK_FLOOR = 4
# Names that one file alone may use.
DOORS = {
    "flask.send_file": "vault/web/delivery.py",
    "flask.send_from_directory": "vault/web/delivery.py",
    "flask_login.current_user": "vault/web/access.py",
    "flask_sqlalchemy": "vault/db.py",
}
SHAPELESS_NAMES = {"common", "constants", "forms", "helper", "helpers", "misc", "util", "utils"}
LONGEST_FILE = 300
LONGEST_FUNCTION = 40

Tree = dict[PurePosixPath, str]


def project() -> Tree:
    """Read what the rules are about: code, and the templates and styles that are written by hand like code."""
    patterns = ["vault/**/*.py", "tests/**/*.py", "bench/**/*.py", "*.py", "templates/**/*.html"]
    patterns += ["vault/assets/**/*.ts", "vault/assets/**/*.css"]
    found = [path for pattern in patterns for path in ROOT.glob(pattern)]
    return {PurePosixPath(path.relative_to(ROOT).as_posix()): path.read_text() for path in found}


def parsed(tree: Tree, *, inside: str = "") -> Iterator[tuple[PurePosixPath, ast.Module]]:
    for path, text in tree.items():
        if path.suffix == ".py" and path.as_posix().startswith(inside):
            yield path, ast.parse(text)


def module_name(path: PurePosixPath) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def imported(module: ast.Module) -> Iterator[str]:
    """Yield dotted names: `from a import b` is `a.b`, and whether b is a file is for the reader to know."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = "." * node.level + (node.module or "")
            yield from (f"{start}.{alias.name}" for alias in node.names)


def vault_imports(tree: Tree) -> Iterator[tuple[str, bool, str]]:
    """Yield (importing module, whether it is a folder's `__init__`, imported module) for the vault's own modules."""
    modules = {module_name(path) for path in tree if path.parts[0] == "vault"}
    for path, module in parsed(tree, inside="vault/"):
        for name in imported(module):
            target = name if name in modules else name.rpartition(".")[0]
            if target in modules and target != "vault":
                yield module_name(path), path.name == "__init__.py", target


def room(module: str) -> str:
    return module.split(".")[1]


def imports_that_do_not_go_down(tree: Tree) -> Iterator[str]:
    for source, _, target in vault_imports(tree):
        if source == "vault":
            yield f"vault/__init__.py imports {target}; it holds the version and nothing else"
        elif room(source) != room(target) and FLOORS.get(room(source), 0) <= FLOORS.get(room(target), 9):
            yield f"{source} imports {target}, which is not below it"


def rooms_without_a_floor(tree: Tree) -> Iterator[str]:
    for path in tree:
        module = module_name(path) if path.suffix == ".py" else ""
        if module.startswith("vault.") and room(module) not in FLOORS:
            yield f"{path} stands on no floor"


def imports_between_neighbours(tree: Tree) -> Iterator[str]:
    """Inside a folder a file may use the `__init__` above it and the folder's halls; `__init__` may use its files."""
    for source, is_folder, target in sorted(set(vault_imports(tree))):
        if source in {"vault", target} or room(source) != room(target) or room(source) in WORKSHOPS:
            continue
        folder, _, file = target.rpartition(".")
        protocol = source.startswith(f"{target}.")
        own_file = is_folder and target.startswith(f"{source}.")
        hall = source.startswith(f"{folder}.") and file in HALLS.get(folder, set())
        if not (protocol or own_file or hall):
            yield f"{source} imports its neighbour {target}"


def imports_in_a_circle(tree: Tree) -> Iterator[str]:
    uses: dict[str, set[str]] = {}
    for source, is_folder, target in vault_imports(tree):
        if not is_folder and source != target:
            uses.setdefault(source, set()).add(target)
    for start in sorted(uses):
        reached, ahead = set[str](), set(uses[start])
        while ahead:
            reached |= ahead
            ahead = set().union(*(uses.get(module, set()) for module in ahead)) - reached
        if start in reached:
            yield f"{start} imports itself by a detour"


def relative_imports(tree: Tree) -> Iterator[str]:
    for path, module in parsed(tree):
        yield from (f"{path} imports {name}" for name in imported(module) if name.startswith("."))


def flask_below_the_doors(tree: Tree) -> Iterator[str]:
    for path, module in parsed(tree, inside="vault/"):
        for name in imported(module):
            if name.split(".")[0] in FLASK and FLOORS.get(path.with_suffix("").parts[1], 0) < LOWEST_FLASK_FLOOR:
                yield f"{path} imports {name}"


def names_used_beside_their_door(tree: Tree) -> Iterator[str]:
    for path, module in parsed(tree, inside="vault/"):
        used = set(imported(module)) | {
            ast.unparse(node) for node in ast.walk(module) if isinstance(node, ast.Attribute)
        }
        for name, door in DOORS.items():
            if path.as_posix() != door and any(one == name or one.startswith(f"{name}.") for one in used):
                yield f"{path} uses {name}, which belongs to {door}"


def commits_outside_transaction(tree: Tree) -> Iterator[str]:
    for path, module in parsed(tree, inside="vault/"):
        allowed: set[ast.AST] = set()
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef) and node.name == "transaction" and path.as_posix() == "vault/db.py":
                allowed |= set(ast.walk(node))
        for node in ast.walk(module):
            if isinstance(node, ast.Attribute) and node.attr == "commit" and node not in allowed:
                yield f"{path}:{node.lineno} commits; only vault.db.transaction does"


def files_too_long(tree: Tree) -> Iterator[str]:
    for path, text in tree.items():
        if (lines := len(text.splitlines())) > LONGEST_FILE:
            yield f"{path} has {lines} lines"


def functions_too_long(tree: Tree) -> Iterator[str]:
    for path, module in parsed(tree):
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    yield f"{path}: {node.name} has {lines} lines"


def names_without_a_meaning(tree: Tree) -> Iterator[str]:
    for path in tree:
        if path.suffix in {".py", ".ts"} and SHAPELESS_NAMES & {PurePosixPath(part).stem for part in path.parts}:
            yield f"{path} is named for no idea of the domain"


def modules_without_a_purpose(tree: Tree) -> Iterator[str]:
    for path, module in parsed(tree):
        if module.body and not ast.get_docstring(module):
            yield f"{path} does not say what it is for"


Rule = Callable[[Tree], Iterator[str]]
LONG_FUNCTION = "def walk() -> None:\n" + "    step()\n" * LONGEST_FUNCTION

# Each rule with samples that it must object to; "vault/storage/local.py": "…" stands for a file with that text.
BAD_SAMPLES: list[tuple[Rule, dict[str, str]]] = [
    (
        imports_that_do_not_go_down,
        {"vault/db.py": "", "vault/web/media.py": "", "vault/models/media.py": "import vault.web.media"},
    ),
    (imports_that_do_not_go_down, {"vault/audit.py": "", "vault/policy/__init__.py": "from vault import audit"}),
    (imports_that_do_not_go_down, {"vault/storage/__init__.py": "", "vault/models/media.py": "import vault.storage"}),
    (
        imports_that_do_not_go_down,
        {"vault/db.py": "", "vault/config.py": "def late():\n    from vault.db import utcnow"},
    ),
    (imports_that_do_not_go_down, {"vault/db.py": "", "vault/__init__.py": "from vault import db"}),
    (rooms_without_a_floor, {"vault/attic.py": ""}),
    (rooms_without_a_floor, {"vault/attic/box.py": ""}),
    (
        imports_between_neighbours,
        {"vault/web/albums.py": "", "vault/web/media.py": "from vault.web.albums import show"},
    ),
    (
        imports_between_neighbours,
        {"vault/web/albums.py": "", "vault/web/api/albums.py": "from vault.web import albums"},
    ),
    (imports_between_neighbours, {"vault/jobs/queue.py": "", "vault/jobs/worker.py": "import vault.jobs.queue"}),
    (
        imports_in_a_circle,
        {
            "vault/imaging/colour.py": "import vault.imaging.render",
            "vault/imaging/frames.py": "import vault.imaging.colour",
            "vault/imaging/render.py": "from vault.imaging.frames import first",
        },
    ),
    (relative_imports, {"vault/policy/__init__.py": "from . import db"}),
    (flask_below_the_doors, {"vault/services/uploads.py": "from flask import request"}),
    (flask_below_the_doors, {"vault/policy/__init__.py": "import flask_login"}),
    (names_used_beside_their_door, {"vault/web/media.py": "from flask import send_file"}),
    (names_used_beside_their_door, {"vault/web/media.py": "import flask\nflask.send_from_directory('.', 'x')"}),
    (names_used_beside_their_door, {"vault/web/delivery.py": "from flask_login import current_user"}),
    (names_used_beside_their_door, {"vault/models/media.py": "from flask_sqlalchemy import SQLAlchemy"}),
    (commits_outside_transaction, {"vault/services/uploads.py": "db.session.commit()"}),
    (commits_outside_transaction, {"vault/db.py": "def save(session):\n    session.commit()"}),
    (files_too_long, {"vault/assets/app.css": "\n" * (LONGEST_FILE + 1)}),
    (functions_too_long, {"vault/policy/__init__.py": LONG_FUNCTION}),
    (functions_too_long, {"tests/test_policy.py": LONG_FUNCTION}),
    (names_without_a_meaning, {"vault/web/forms.py": ""}),
    (names_without_a_meaning, {"vault/utils/times.py": ""}),
    (modules_without_a_purpose, {"vault/policy/__init__.py": "import re"}),
]
RULES = list(dict.fromkeys(rule for rule, _ in BAD_SAMPLES))

GOOD_SAMPLE = {
    "vault/__init__.py": '__version__ = "0"',
    "vault/db.py": "import flask_sqlalchemy\ndef transaction(session):\n    session.commit()",
    "vault/models/account.py": "from vault.db import Base",
    "vault/models/media.py": "from vault.models.account import User",
    "vault/policy/__init__.py": "from vault.models.media import Media",
    "vault/storage/__init__.py": "",
    "vault/storage/local.py": "from vault.storage import Missing",
    "vault/web/__init__.py": "from vault.web import media",
    "vault/web/access.py": "from flask_login import current_user\nfrom vault import __version__, policy",
    "vault/web/delivery.py": "import flask\nflask.send_file('x')",
    "vault/web/media.py": "from vault.web import access, delivery",
    "vault/web/api/__init__.py": "",
    "vault/web/api/media.py": "from vault.web.access import requires\nfrom vault.web import api",
}


def sample(files: dict[str, str], *, purpose: str = "") -> Tree:
    return {PurePosixPath(path): purpose + text for path, text in files.items()}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_project_has_no(rule: Rule) -> None:
    assert list(rule(project())) == []


@pytest.mark.parametrize(("rule", "files"), BAD_SAMPLES, ids=lambda value: getattr(value, "__name__", ""))
def test_a_bad_sample_is_objected_to(rule: Rule, files: dict[str, str]) -> None:
    assert list(rule(sample(files))) != []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_good_sample_passes(rule: Rule) -> None:
    assert list(rule(sample(GOOD_SAMPLE, purpose='"""What it is for."""\n'))) == []


def test_the_project_is_really_read() -> None:
    paths = {path.as_posix() for path in project()}
    assert {"vault/policy/__init__.py", "tests/test_layout.py", "build_assets.py", "templates/base.html"} <= paths
