"""Tokens: their grammar, what they are bound to, and how keys rotate."""

import hashlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.signing import LONGEST_TOKEN, TOKEN, Signer, digest, new_public_id, new_secret

OLD = "old-secret-0123456789-abcdefghijklmnopqrstuvwxyz"
NEW = "new-secret-0987654321-zyxwvutsrqponmlkjihgfedcba"
SUBJECT = "A" * 22
PRINTABLE = string.ascii_letters + string.digits + string.punctuation + " \n\0é²"


def test_a_token_says_what_it_was_made_for_and_nothing_else() -> None:
    signer = Signer((OLD,))
    token = signer.token("link", SUBJECT, 7)

    assert TOKEN.fullmatch(token)
    assert len(token) <= LONGEST_TOKEN
    assert signer.parse("link", token) == (SUBJECT, 7)
    assert signer.token("link", SUBJECT, 7) == token, "it can be shown again"
    for purpose in ("", "Link", "link ", "links", "session", "csrf", "queue"):
        assert signer.parse(purpose, token) is None


def test_no_other_character_anywhere_is_accepted() -> None:
    signer = Signer((OLD, NEW))
    token = signer.token("link", SUBJECT, 10)

    for place in range(len(token)):
        for other in PRINTABLE:
            changed = token[:place] + other + token[place + 1 :]
            assert (signer.parse("link", changed) is None) == (changed != token), (place, other)
        assert signer.parse("link", token[:place] + token[place + 1 :]) is None
        assert signer.parse("link", token[:place] + "A" + token[place:]) is None


@given(st.text(max_size=120) | st.from_regex(TOKEN, fullmatch=True))
def test_what_was_not_made_here_is_refused_and_never_a_fault(text: str) -> None:
    assert Signer((OLD,)).parse("link", text) is None


@given(st.from_regex(r"[A-Za-z0-9_-]{22}", fullmatch=True), st.integers(0, 999_999_999))
def test_every_token_comes_back(subject: str, generation: int) -> None:
    signer = Signer((OLD,))

    assert signer.parse("link", signer.token("link", subject, generation)) == (subject, generation)
    assert signer.parse("link", signer.token("link", subject, generation) + "\n") is None


def test_keys_rotate_by_id() -> None:
    before, both, after = Signer((OLD,)), Signer((NEW, OLD)), Signer((NEW,))
    token = before.token("link", SUBJECT, 1)

    assert both.parse("link", token) == (SUBJECT, 1)
    assert after.parse("link", token) is None
    assert both.token("link", SUBJECT, 1) == after.token("link", SUBJECT, 1) != token
    assert both.key("session") == after.key("session")
    assert both.former_keys("session") == [before.key("session")]
    assert before.former_keys("session") == []


def test_a_key_id_of_one_secret_with_the_mac_of_another_is_refused() -> None:
    both = Signer((NEW, OLD))
    new_kid, *_ = both.token("link", SUBJECT, 1).split(".")
    _, *rest = Signer((OLD,)).token("link", SUBJECT, 1).split(".")

    assert both.parse("link", ".".join((new_kid, *rest))) is None


def test_each_purpose_and_secret_has_a_key_of_its_own() -> None:
    keys = [Signer((secret,)).key(purpose) for secret in (OLD, NEW) for purpose in ("session", "csrf", "queue", "link")]

    assert len(set(keys)) == 8
    assert {len(key) for key in keys} == {64}
    assert [secret for secret in (OLD, NEW) if secret in "".join(keys)] == []


def test_a_signer_without_a_secret_is_none() -> None:
    with pytest.raises(ValueError, match="secret"):
        Signer(())


def test_ids_and_secrets_are_long_and_never_the_same() -> None:
    ids, secrets = {new_public_id() for _ in range(1_000)}, {new_secret() for _ in range(1_000)}

    assert (len(ids), len(secrets)) == (1_000, 1_000)
    assert ({len(each) for each in ids}, {len(each) for each in secrets}) == ({22}, {43})


def test_a_digest_is_sha256_also_of_what_is_no_text() -> None:
    assert digest("abc") == hashlib.sha256(b"abc").hexdigest()
    assert len(digest("\ud800\0")) == 64


def test_what_is_sealed_is_opened_by_its_own_purpose_and_nothing_else() -> None:
    signer, text = Signer((OLD,)), "1752517800000000.123456789"
    sealed = signer.seal("cursor", text)

    assert signer.unseal("cursor", sealed) == text
    assert signer.seal("cursor", text) == sealed
    assert Signer((NEW, OLD)).unseal("cursor", sealed) == text
    assert "1752" not in sealed
    assert signer.unseal("another", sealed) is None
    assert Signer((NEW,)).unseal("cursor", sealed) is None
    for place, character in enumerate(sealed):
        for other in ("A" if character != "A" else "B", "=", ""):
            assert signer.unseal("cursor", sealed[:place] + other + sealed[place + 1 :]) is None, place
    for odd in ("", "A" * 21, "A" * 22, "A" * 25, "A" * 64, "A" * 1000, "é" * 30):
        assert signer.unseal("cursor", odd) is None
    with pytest.raises(ValueError, match="too long"):
        signer.seal("cursor", "x" * 33)
