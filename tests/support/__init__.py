"""Helpers for the tests; what most tests need comes from here, everything else from its own module."""

from tests.support.service import (
    CHROME_ON_WINDOWS,
    PASSWORD,
    RANDOM_SECRET,
    SAFARI_ON_IPHONE,
    Device,
    Service,
    all_pages,
    assert_problem,
    http_client,
    make_settings,
    running_service,
    serve_app,
)

__all__ = [
    "CHROME_ON_WINDOWS",
    "PASSWORD",
    "RANDOM_SECRET",
    "SAFARI_ON_IPHONE",
    "Device",
    "Service",
    "all_pages",
    "assert_problem",
    "http_client",
    "make_settings",
    "running_service",
    "serve_app",
]
