"""Notices: mail about somebody's own account."""
