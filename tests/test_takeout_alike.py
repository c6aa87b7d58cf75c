"""Takeout's names in great numbers that differ in case alone: each finds its own list, and in time."""

import unicodedata
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar, Literal

import pytest

from vault.archives import takeout
from vault.archives.takeout import match


class Counted(str):
    """A name that counts how often it is looked at, by being hashed, cut or looked into."""

    __slots__ = ()
    looks: ClassVar[int] = 0

    def __hash__(self) -> int:
        Counted.looks += 1
        return super().__hash__()

    def startswith(self, *args: Any) -> bool:
        Counted.looks += 1
        return super().startswith(*args)


def in_all_cases(count: int) -> list[str]:
    """Return names that differ in case alone."""
    return [
        "".join(letter.upper() if n >> at & 1 else letter for at, letter in enumerate("abcdefghijkl"))
        for n in range(count)
    ]


ALIKE: dict[str, Callable[[str], list[str]]] = {
    "each with its own": lambda name: [f"{name}.jpg", f"{name}.jpg.json"],
    "with another extension": lambda name: [f"{name}.jpg", f"{name}.heic.json"],
    "moving": lambda name: [f"{name}.mp4", f"{name}.jpg", f"{name}.jpg.json"],
    "edited": lambda name: [f"{name}-edited.jpg", f"{name}.png.json"],
    "numbered": lambda name: [f"{name}(1).jpg", f"{name}.jpg(1).json"],
}


@pytest.mark.parametrize("shape", ALIKE)
def test_names_that_differ_in_case_alone_cost_no_more_than_others(monkeypatch: pytest.MonkeyPatch, shape: str) -> None:
    def work(count: int) -> int:
        Counted.looks = 0
        match([Counted(each) for name in in_all_cases(count) for each in ALIKE[shape](name)], lambda _name: None)
        return Counted.looks

    def normalize(form: Literal["NFC"], text: str) -> str:
        Counted.looks += 1
        return unicodedata.normalize(form, text)

    monkeypatch.setattr(takeout, "unicodedata", SimpleNamespace(normalize=normalize))
    assert work(1_000) < work(500) * 2.2


def test_each_of_many_that_differ_in_case_alone_gets_its_own() -> None:
    names = in_all_cases(500)

    found = match([each for name in names for each in (f"{name}.jpg", f"{name}.jpg.json")], lambda _name: None)

    assert found == {f"{name}.jpg": f"{name}.jpg.json" for name in names}
