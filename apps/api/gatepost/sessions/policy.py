"""The rules of sessions that are not settings."""

from __future__ import annotations

from datetime import timedelta

# A second use of a refresh token within this time is two tabs or a lost answer, not theft.
REFRESH_GRACE = timedelta(seconds=10)

# Ending other devices needs a password shown no longer ago than this (OWASP ASVS 7.5.2).
STEP_UP_AGE = timedelta(minutes=15)
