"""Whose keys a copy comes back with: those that were named, and those that can be compared."""

import re
from pathlib import Path

from tests.live.commands import manage
from tests.test_restore import copy, home, refused, run, seen, template

__all__ = ["copy", "home", "template"]  # fixtures, which are asked for by name


def test_keys_that_only_the_copy_itself_vouches_for_are_refused_where_others_are(
    home: Path, copy: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir(mode=0o700)
    assert manage(tmp_path / "other", "migrate").returncode == 0
    key = (tmp_path / "other" / "audit.key").read_bytes()

    assert f"say --keys {copy / 'keys'}" in refused(tmp_path / "other", "restore", str(copy))
    assert (tmp_path / "other" / "audit.key").read_bytes() == key

    assert run(tmp_path / "other", "restore", str(copy), "--keys", str(copy / "keys"))[0] == 0
    assert seen(tmp_path / "other") == seen(home)


def test_the_key_that_was_named_when_the_copy_was_made_is_named_again(home: Path, tmp_path: Path) -> None:
    made = run(home, "backup", str(tmp_path / "copy"))[1]
    key = re.search(r"; key ((?:[0-9a-f]{4}-?){4});", made)
    assert key is not None

    restored = run(tmp_path / "x", "restore", str(tmp_path / "copy"), "--home", str(tmp_path / "new"))[1]

    assert f"the key of its events is {key[1]}\n" in restored
