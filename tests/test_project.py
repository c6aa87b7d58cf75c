"""What a clone, a lock, a package and a checking machine may rely on."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from build_assets import AssetsFailed, read_manifest

ROOT = Path(__file__).resolve().parents[1]
LOCKS = {name: (ROOT / "requirements" / f"{name}.txt").read_text() for name in ("run", "dev", "build")}
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


def versions(lock: str) -> set[str]:
    """Return the pinned requirements of a lock, each "name==version"."""
    return set(re.findall(r"^([a-z0-9._\[\]-]+==[^ \\;]+)", LOCKS[lock], re.MULTILINE))


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S607  # git is where the machine has it


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_gives_every_requirement_a_hash(lock: str) -> None:
    requirements = re.split(r"^(?=[a-z0-9])", LOCKS[lock], flags=re.MULTILINE)[1:]
    assert len(requirements) >= 3
    assert [text for text in requirements if not re.search(r"--hash=sha256:[0-9a-f]{64}", text)] == []


@pytest.mark.parametrize(
    "lock", ["requirements/run.txt", "requirements/dev.txt", "requirements/build.txt", "package-lock.json"]
)
def test_a_lock_names_no_host_and_no_folder(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert re.findall(r"https?:|file:|--find-links|--(?:extra-)?index-url|\"resolved\"", text) == []


def test_the_development_lock_holds_the_other_two() -> None:
    assert versions("run") | versions("build") <= versions("dev")


def test_the_build_group_is_what_the_build_requires() -> None:
    assert sorted(PROJECT["dependency-groups"]["build"]) == sorted(PROJECT["build-system"]["requires"])


def test_every_npm_package_is_locked_by_digest() -> None:
    packages: dict[str, dict[str, Any]] = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert [name for name, facts in packages.items() if name and not facts.get("integrity")] == []


def test_nothing_that_is_built_is_in_git() -> None:
    assert git("ls-files", "*.min.js", "*.min.css", "node_modules", "vault/static/dist", "dist") == ""


def test_nothing_of_an_instance_is_in_git() -> None:
    assert git("ls-files", "instance").split() == ["instance/.gitkeep"]


def test_the_manifest_leads_to_hashed_files() -> None:
    folder = ROOT / "vault" / "static" / "dist"
    manifest: dict[str, str] = json.loads((folder / "manifest.json").read_text())
    assert {"app.js", "app.css"} <= set(manifest)
    for logical, file in manifest.items():
        stem, _, suffix = logical.rpartition(".")
        assert re.fullmatch(rf"{re.escape(stem)}-[A-Z0-9]{{8}}\.{suffix}", file)
        assert (folder / file).stat().st_size > 0


def test_the_manifest_leaves_out_what_the_scripts_find_themselves() -> None:
    outputs = {
        "d/app-1.js": {"entryPoint": "a/app.ts", "cssBundle": "d/app-2.css"},
        "d/chunk-3.js": {"entryPoint": "a/late.ts"},
    }
    manifest = read_manifest({"outputs": outputs}, frozenset({"a/app.ts"}))
    assert manifest == {"app.js": "app-1.js", "app.css": "app-2.css"}


def test_the_manifest_refuses_two_files_of_one_name() -> None:
    outputs = {
        "d/app-1.js": {"entryPoint": "a/app.ts", "cssBundle": "d/app-2.css"},
        "d/app-3.css": {"entryPoint": "a/app.css"},
    }
    with pytest.raises(AssetsFailed, match=r"two bundles are called app\.css"):
        read_manifest({"outputs": outputs}, frozenset({"a/app.ts", "a/app.css"}))


def test_a_wheel_is_built_without_a_node_of_the_machine(tmp_path: Path) -> None:
    """Build from the sources alone, on a PATH that has nothing; the npm packages are those of this clone."""
    source = tmp_path / "source"
    tracked = [
        line
        for line in git("ls-files", "--cached", "--others", "--exclude-standard").splitlines()
        if (ROOT / line).is_file()
    ]
    for name in tracked:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, source / name)
    (source / "node_modules").symlink_to(ROOT / "node_modules")
    bare = {**os.environ, "PATH": str(tmp_path / "nothing")}
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path], cwd=source, env=bare, check=True
    )
    with zipfile.ZipFile(next(tmp_path.glob("vault-*.whl"))) as wheel:
        names = set(wheel.namelist())
    assert {"vault/static/dist/manifest.json", "vault/templates/base.html", "vault/migrations/env.py"} <= names
    assert [name for name in names if name.startswith(("vault/assets/", "tests/", "instance/"))] == []


@pytest.mark.parametrize("target", ["run", "test", "check", "bench"])
def test_make_explains_its_target(target: str) -> None:
    listing = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S607  # make is where the machine has it
    assert re.search(rf"^  make {target} +\S+", listing, re.MULTILINE)


def test_the_checking_machine_can_start_its_script() -> None:
    assert git("ls-files", "--stage", ".ci/run").startswith("100755 ")
