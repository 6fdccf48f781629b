"""Encryption at rest: only the same key decrypts, and the secret key is created once."""

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
from gatepost.security.crypto import (
    DecryptionFailed,
    decrypt,
    decrypt_any,
    derive_key,
    derive_keys,
    encrypt,
    key_id,
    secret_keys,
)

KEY, OTHER_KEY = derive_key(b"s" * 40, "one"), derive_key(b"s" * 40, "another")


def hkdf(secret: bytes, info: bytes) -> bytes:
    """Return the key of RFC 5869 for one block, without a salt: a derived key must never change."""
    extracted = hmac.digest(bytes(hashlib.sha256().digest_size), secret, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


@given(secret=st.binary(min_size=1, max_size=100), purpose=st.text(max_size=40))
def test_a_key_is_hkdf_of_the_secret_and_the_purpose(secret: bytes, purpose: str) -> None:
    assert derive_key(secret, purpose) == hkdf(secret, b"gatepost/" + purpose.encode())


def test_each_purpose_and_secret_has_its_own_key() -> None:
    assert len({KEY, OTHER_KEY, derive_key(b"t" * 40, "one")}) == 3


@given(plain=st.binary(max_size=200))
def test_decrypting_returns_the_data_and_no_two_results_of_encrypting_are_equal(plain: bytes) -> None:
    encrypted = encrypt(KEY, plain)
    assert decrypt(KEY, encrypted) == plain
    assert encrypted != encrypt(KEY, plain)
    assert len(plain) < 4 or plain not in encrypted


@given(data=st.data(), plain=st.binary(max_size=50))
def test_a_changed_bit_is_detected(data: st.DataObject, plain: bytes) -> None:
    encrypted = bytearray(encrypt(KEY, plain))
    encrypted[data.draw(st.integers(0, len(encrypted) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(DecryptionFailed):
        decrypt(KEY, bytes(encrypted))


@given(length=st.integers(0, 30))
def test_truncated_data_is_rejected(length: int) -> None:
    with pytest.raises(DecryptionFailed):
        decrypt(KEY, encrypt(KEY, b"abc")[:length])


def test_another_key_is_rejected() -> None:
    with pytest.raises(DecryptionFailed):
        decrypt(OTHER_KEY, encrypt(KEY, b"abc"))


def test_the_setting_is_used_and_no_file_is_created(tmp_path: Path) -> None:
    assert secret_keys(Settings(data_dir=tmp_path, secret_key="s" * 40)) == (b"s" * 40,)
    assert list(tmp_path.iterdir()) == []


def test_without_a_setting_a_secret_is_created_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new" / "data")
    [secret] = secret_keys(settings)
    assert len(secret) >= 32
    assert secret_keys(settings) == (secret,)
    assert [path.name for path in settings.data_dir.iterdir()] == ["secret_key"]
    assert stat.S_IMODE((settings.data_dir / "secret_key").stat().st_mode) == 0o600
    assert secret_keys(Settings(data_dir=tmp_path / "other")) != (secret,)


def test_concurrent_first_starts_share_one_secret(tmp_path: Path) -> None:
    for attempt in range(20):
        settings = Settings(data_dir=tmp_path / str(attempt))
        gate = threading.Barrier(8)

        def start(settings: Settings = settings, gate: threading.Barrier = gate) -> tuple[bytes, ...]:
            gate.wait()
            return secret_keys(settings)

        with ThreadPoolExecutor(8) as threads:
            assert len({future.result() for future in [threads.submit(start) for _ in range(8)]}) == 1
        assert len(list(settings.data_dir.iterdir())) == 1


def test_a_trailing_newline_of_the_file_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("s" * 40 + "\n")
    assert secret_keys(Settings(data_dir=tmp_path)) == (b"s" * 40,)


def test_several_secrets_are_newest_first_in_the_setting_and_in_the_file(tmp_path: Path) -> None:
    new, old = "n" * 40, "o" * 40
    (tmp_path / "secret_key").write_text(f"{new}\n{old}\n")
    expected = (new.encode(), old.encode())
    assert secret_keys(Settings(data_dir=tmp_path)) == expected
    assert secret_keys(Settings(secret_key=f"{new}, {old}")) == expected
    new_key, old_key = derive_keys(expected, "one")
    assert decrypt_any([new_key, old_key], encrypt(old_key, b"abc")) == b"abc"
    assert key_id(new_key) != key_id(old_key)
    with pytest.raises(DecryptionFailed):
        decrypt_any([new_key], encrypt(old_key, b"abc"))


@pytest.mark.parametrize("content", ["", "s" * 31, "s" * 40 + "\n" + "s" * 31])
def test_a_file_with_too_short_a_secret_is_rejected(tmp_path: Path, content: str) -> None:
    (tmp_path / "secret_key").write_text(content)
    with pytest.raises(ConfigurationError, match=r"GATEPOST_SECRET_KEY: is not set, .* has a key of fewer"):
        secret_keys(Settings(data_dir=tmp_path))


def test_a_data_directory_that_is_a_file_is_an_error_of_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"GATEPOST_SECRET_KEY: is not set, and .* cannot be used") as caught:
        secret_keys(Settings(data_dir=tmp_path / "file"))
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_secret_is_an_error(tmp_path: Path) -> None:
    secret_keys(Settings(data_dir=tmp_path))
    (tmp_path / "secret_key").chmod(0)
    with pytest.raises(ConfigurationError, match="cannot be used"):
        secret_keys(Settings(data_dir=tmp_path))
