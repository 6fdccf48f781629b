"""HTML that we did not write, served so that nothing in it can run, load or send anything."""

from __future__ import annotations

from fastapi.responses import HTMLResponse

_HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
}


def sandboxed_page(html: str, status: int = 200) -> HTMLResponse:
    """Return a page for an iframe, under a sandbox policy."""
    return HTMLResponse(html, status, headers=_HEADERS)
