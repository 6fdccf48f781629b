"""What a new password may be: its length, and the passwords that are too easy to guess (OWASP ASVS 5.0, 6.2).

There are no composition rules: any characters are allowed, in any mixture (6.2.5).
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import string
import unicodedata
from functools import cache, cached_property
from importlib.resources import files

import httpx
from pydantic_core import PydanticCustomError

from gatepost import log
from gatepost.errors import FieldError, ValidationFailed
from gatepost.settings import Settings

# 6.2.1 and 6.2.9, in characters of the normalized password.
MIN_CHARACTERS = 8
MAX_CHARACTERS = 128

# Seconds for the whole request: the user waits for it.
_RANGE_TIMEOUT = 2.0
_PREFIX_DIGITS = 5
_DECORATION = string.digits + string.punctuation + string.whitespace
_MIN_WORD_CHARACTERS = 4

logger = log.get_logger()


def normalize(password: str) -> str:
    """Return the form in which passwords are compared: NFC, so that it does not matter how a keyboard composes letters.

    NIST SP 800-63B-4, 3.1.1.2.
    """
    return unicodedata.normalize("NFC", password)


def check_length(password: str) -> str:
    """Return a new password, normalized, if its length is right. For Pydantic, which reports its error."""
    # Before normalizing, which takes long for a long password.
    normalized = normalize(password) if len(password) <= 4 * MAX_CHARACTERS else password
    if len(normalized) > MAX_CHARACTERS:
        raise PydanticCustomError("password_too_long", f"Enter at most {MAX_CHARACTERS} characters.")
    if len(normalized) < MIN_CHARACTERS:
        raise PydanticCustomError("password_too_short", f"Enter at least {MIN_CHARACTERS} characters.")
    return normalized


class PasswordRules:
    """Rejects new passwords that are too short, too long or easy to guess."""

    def __init__(self, settings: Settings) -> None:
        self._product_name = settings.product_name
        self._range_url = settings.password_range_url

    async def close(self) -> None:
        """Close the connections to the database of leaked passwords."""
        if "_client" in self.__dict__:
            await self._client.aclose()

    @cached_property
    def _client(self) -> httpx.AsyncClient:
        # One for all requests: reading the trusted certificates takes 20 ms.
        return httpx.AsyncClient(timeout=_RANGE_TIMEOUT, headers={"Add-Padding": "true", "User-Agent": "gatepost"})

    async def check(self, password: str, email: str | None, *, field: str = "password") -> None:
        """Check a new password for a user with an email address.

        Raises:
            ValidationFailed: it is too easy to guess; `errors` says why, for the field of the request's body.
        """
        problem = await self.find_problem(password, email)
        if problem is not None:
            kind, message = problem
            raise ValidationFailed(message, errors=[FieldError(loc=["body", field], msg=message, type=kind)])

    async def find_problem(self, password: str, email: str | None) -> tuple[str, str] | None:
        """Return why a password cannot be a new one, as a kind and a message, or None if it can."""
        try:
            check_length(password)
        except PydanticCustomError as error:
            return error.type, error.message()
        folded = normalize(password).casefold()
        if folded in common_passwords():
            return "password_common", "This password is one of the most common ones. Choose another one."
        if self._is_context(folded, email):
            return (
                "password_context",
                "The password cannot be your email address, a part of it or the product's name. Choose another one.",
            )
        if self._range_url is not None and await self._is_leaked(self._range_url, normalize(password)):
            return "password_leaked", "This password appeared in a data breach. Choose another one."
        return None

    def _is_context(self, folded: str, email: str | None) -> bool:
        """Return whether a password is the email address, its local part or the product's name, decorated or not."""
        words = [self._product_name, self._product_name.replace(" ", "")]
        if email is not None:
            words += [email, email.partition("@")[0]]
        stripped = {normalize(word).casefold().strip(_DECORATION) for word in words} - {""}
        return folded in {word.casefold() for word in words} or folded.strip(_DECORATION) in {
            word for word in stripped if len(word) >= _MIN_WORD_CHARACTERS
        }

    async def _is_leaked(self, url: str, password: str) -> bool:
        """Return whether a password is in the database of leaked ones, which is sent five digits of its hash (6.2.12).

        If it cannot be reached the password is accepted.
        """
        digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
        prefix, suffix = digest[:_PREFIX_DIGITS], digest[_PREFIX_DIGITS:]
        try:
            # Padding hides from the network how many lines the answer has; its lines have a count of 0.
            async with asyncio.timeout(_RANGE_TIMEOUT):
                response = await self._client.get(f"{url}/{prefix}")
                response.raise_for_status()
        except (httpx.HTTPError, TimeoutError) as error:
            logger.warning("leaked passwords cannot be looked up", error=type(error).__name__)
            return False
        lines = (line.strip().partition(":") for line in response.text.splitlines())
        return any(found.upper() == suffix and count.strip() not in ("", "0") for found, _, count in lines)


@cache
def common_passwords() -> frozenset[str]:
    """Return common passwords of eight characters or more, in lower case (6.2.4)."""
    packed = (files("gatepost.security") / "common_passwords.txt.gz").read_bytes()
    lines = gzip.decompress(packed).decode().splitlines()
    return frozenset(line for line in lines if not line.startswith("# "))
