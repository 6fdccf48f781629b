"""Every error of our SQL has one SQLSTATE, one entry in the table and one sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gatepost.db.errors import DATABASE_ERRORS
from gatepost.db.migrations import load
from gatepost.errors import ValidationFailed
from gatepost.mail.outbox.messages import MESSAGES, error_text


def statements() -> Iterator[str]:
    for migration in load():
        code = re.sub(r"^\s*--.*", "", migration.sql, flags=re.MULTILINE)
        yield from code.split(";")


def raised() -> list[tuple[str, str, bool]]:
    """Each `raise` of the migrations: its SQLSTATE, its message, and whether it names a column."""
    found = []
    for statement in statements():
        if "raise exception" in statement:
            match = re.search(r"raise exception using errcode = '(\w+)', message = '(\w+)'", statement)
            assert match is not None, statement
            found.append((match[1], match[2], "column = '" in statement))
    return found


def test_what_sql_raises_is_in_the_table_and_the_other_way_round() -> None:
    assert {(state, name) for state, name, _ in raised()} == {
        (state, error.name) for state, error in DATABASE_ERRORS.items()
    }
    assert len(raised()) > len(DATABASE_ERRORS)


def test_our_states_are_of_our_own_class() -> None:
    assert all(re.fullmatch(r"GP\d\d\d", state) for state in DATABASE_ERRORS)


def test_validation_errors_name_an_argument() -> None:
    for state, name, names_column in raised():
        if DATABASE_ERRORS[state].api_error is ValidationFailed:
            assert names_column, name


def test_no_two_errors_share_a_name_or_a_sentence() -> None:
    for attribute in ("name", "sentence"):
        each = [getattr(error, attribute) for error in DATABASE_ERRORS.values()]
        assert len(set(each)) == len(each), attribute
    assert len(set(MESSAGES.values())) == len(MESSAGES)


def test_the_codes_that_sql_stores_without_a_message_have_a_sentence() -> None:
    code = " ".join(" ".join(statements()).split())
    stored = set(re.findall(r"error_code := '(\w+)'", code))
    stored |= set(re.findall(r"finish_emails\([\w.\[\]]+, '\w+', '(\w+)'(?: \|\| s\.reason)?\)", code))
    stored |= set(re.findall(r"abandon_batch\(\w+, '(\w+)'\)", code))
    [reasons] = re.findall(r"reason in \(('bounce'[^)]*)\)", code)
    stored |= {"suppressed_" + reason for reason in re.findall(r"'(\w+)'", reasons)} | {"retries_exhausted"}
    assert stored - {"suppressed_"} == set(MESSAGES)


def test_error_texts() -> None:
    assert error_text(None, None) is None
    assert error_text("expired", None) == MESSAGES["expired"]
    # A transport's code that is the same as one of ours keeps its own message.
    assert error_text("expired", "The token has expired.") == "The token has expired."
    assert error_text("retries_exhausted", "Resend is down.") == f"{MESSAGES['retries_exhausted']} Resend is down."
    assert error_text("retries_exhausted", None) == MESSAGES["retries_exhausted"]
    assert error_text("not_known_here", None) == "not_known_here"
