"""A client's own key in place of its secret, for verbs and the client library: one of the two, never both."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from dispatcher.cli.api_access import find_access
from dispatcher.client import Client
from dispatcher.errors import ConfigurationError

KEY = ed25519.Ed25519PrivateKey.generate()
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
URL = "http://localhost:1"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DISPATCHER_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "key.pem").write_text(PEM)
    return tmp_path / "key.pem"


def test_a_key_file_is_taken_from_the_option_or_the_environment(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = find_access(URL, "me", None, file)
    assert (given.client_id, given.client_secret, given.private_key) == ("me", None, PEM)
    monkeypatch.setenv("DISPATCHER_CLIENT_KEY_FILE", str(file))
    assert find_access(URL, "me") == given
    assert find_access(URL, "me", "S3cre1").client_secret == "S3cre1"
    with pytest.raises(ConfigurationError, match="DISPATCHER_ADMIN_CLIENT_ID"):
        find_access(URL)
    monkeypatch.setenv("DISPATCHER_ADMIN_CLIENT_ID", "me")
    assert find_access(URL) == given


def test_a_secret_beside_a_key_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="not both"):
        find_access(URL, "me", "S3cre1", file)
    with pytest.raises(ValueError, match="either"):
        Client(URL, "me", "S3cre1", private_key=PEM)
    with pytest.raises(ValueError, match="either"):
        Client(URL, "me")
    monkeypatch.setenv("DISPATCHER_CLIENT_KEY_FILE", str(file))
    monkeypatch.setenv("DISPATCHER_ADMIN_CLIENT_ID", "me")
    monkeypatch.setenv("DISPATCHER_ADMIN_CLIENT_SECRET", "S3cre1-of-the-admin")
    with pytest.raises(ConfigurationError, match="not both"):
        find_access(URL)


def test_what_cannot_sign_is_refused_without_a_word_of_it(file: Path) -> None:
    encrypted = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pass"))
    large = ec.generate_private_key(ec.SECP384R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = KEY.public_key().public_bytes_raw()
    for wrong in (b"", b"hush", PEM.encode()[:60], encrypted, large, public, b"\xff" * 40):
        file.write_bytes(wrong)
        with pytest.raises(ConfigurationError, match="give a private RSA, P-256 or Ed25519 key") as refusal:
            find_access(URL, "me", None, file).client()
        assert "hush" not in str(refusal.value)
