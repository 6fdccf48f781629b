"""Secrets at rest: what is sealed opens under its own key alone, and the secret is made once."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost import Settings
from gatepost.errors import ConfigurationError
from gatepost.security.crypto import SealBroken, derive, seal, secret_key, unseal

KEY, OTHER_KEY = derive(b"s" * 40, "one"), derive(b"s" * 40, "another")


def hkdf(secret: bytes, info: bytes) -> bytes:
    """RFC 5869 for one block, without a salt: what a key is must never change."""
    extracted = hmac.digest(bytes(hashlib.sha256().digest_size), secret, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


@given(secret=st.binary(min_size=1, max_size=100), purpose=st.text(max_size=40))
def test_a_key_is_hkdf_of_the_secret_and_its_purpose(secret: bytes, purpose: str) -> None:
    assert derive(secret, purpose) == hkdf(secret, b"gatepost/" + purpose.encode())


def test_another_purpose_or_secret_is_another_key() -> None:
    assert len({KEY, OTHER_KEY, derive(b"t" * 40, "one")}) == 3


@given(plain=st.binary(max_size=200))
def test_what_is_sealed_opens_and_looks_different_each_time(plain: bytes) -> None:
    sealed = seal(KEY, plain)
    assert unseal(KEY, sealed) == plain
    assert sealed != seal(KEY, plain)
    assert len(plain) < 4 or plain not in sealed


@given(data=st.data(), plain=st.binary(max_size=50))
def test_one_changed_bit_breaks_the_seal(data: st.DataObject, plain: bytes) -> None:
    sealed = bytearray(seal(KEY, plain))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(SealBroken):
        unseal(KEY, bytes(sealed))


@given(length=st.integers(0, 30))
def test_a_part_of_what_was_sealed_does_not_open(length: int) -> None:
    with pytest.raises(SealBroken):
        unseal(KEY, seal(KEY, b"abc")[:length])


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(SealBroken):
        unseal(OTHER_KEY, seal(KEY, b"abc"))


def test_the_setting_is_the_secret_and_no_file_is_made(tmp_path: Path) -> None:
    assert secret_key(Settings(data_dir=tmp_path, secret_key="s" * 40)) == b"s" * 40
    assert list(tmp_path.iterdir()) == []


def test_without_a_setting_the_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new" / "data")
    secret = secret_key(settings)
    assert len(secret) >= 32
    assert secret_key(settings) == secret
    assert [path.name for path in settings.data_dir.iterdir()] == ["secret_key"]
    assert stat.S_IMODE((settings.data_dir / "secret_key").stat().st_mode) == 0o600
    assert secret_key(Settings(data_dir=tmp_path / "other")) != secret


def test_many_first_starts_at_once_agree_on_one_secret(tmp_path: Path) -> None:
    for attempt in range(20):
        settings = Settings(data_dir=tmp_path / str(attempt))
        gate = threading.Barrier(8)

        def start(settings: Settings = settings, gate: threading.Barrier = gate) -> bytes:
            gate.wait()
            return secret_key(settings)

        with ThreadPoolExecutor(8) as threads:
            assert len({future.result() for future in [threads.submit(start) for _ in range(8)]}) == 1
        assert len(list(settings.data_dir.iterdir())) == 1


def test_a_line_break_at_the_end_of_the_file_is_not_part_of_the_secret(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("s" * 40 + "\n")
    assert secret_key(Settings(data_dir=tmp_path)) == b"s" * 40


@pytest.mark.parametrize("content", ["", "s" * 31])
def test_a_file_that_holds_no_secret_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "secret_key").write_text(content)
    with pytest.raises(ConfigurationError, match=r"GATEPOST_SECRET_KEY: is not set, and .*secret_key holds fewer"):
        secret_key(Settings(data_dir=tmp_path))


def test_a_data_directory_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"GATEPOST_SECRET_KEY: is not set, and .* cannot be used") as caught:
        secret_key(Settings(data_dir=tmp_path / "file"))
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_secret_that_belongs_to_somebody_else_is_one_line(tmp_path: Path) -> None:
    secret_key(Settings(data_dir=tmp_path))
    (tmp_path / "secret_key").chmod(0)
    with pytest.raises(ConfigurationError, match="cannot be used"):
        secret_key(Settings(data_dir=tmp_path))
