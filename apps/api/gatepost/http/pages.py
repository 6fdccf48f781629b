"""The built web app: served from the service's own origin, under a strict content security policy."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gatepost import package_files as assets

_FOR_GOOD = "public, max-age=31536000, immutable"

# OWASP ASVS 3.4: nothing but our own files runs, nobody frames us, and no library of ours needs inline styles.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        # mail, as it would have gone out, which brings a stricter policy of its own
        "frame-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
# FastAPI's own pages, outside production only; they load their scripts from elsewhere.
_DOCUMENTATION = ("/docs", "/docs/oauth2-redirect")
_PAGE_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-cache",
}


def serve_pages(app: FastAPI) -> None:
    """Serve the built web app below the API's routes; and for any address a browser navigates to.

    Without a build there are none.
    """
    directory = assets.pages()
    if directory is None:
        return
    app.frontend("/", directory=directory, fallback="index.html", check_dir=True)
    app.add_middleware(PageHeaders)


class PageHeaders:
    """ASGI middleware: says how long each file of the web app may be kept, and what its pages may do."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start" and "route" not in scope:
                _mark(scope["path"], MutableHeaders(scope=message))
            await send(message)

        await self.app(scope, receive, send_marked if scope["type"] == "http" else send)


def _mark(path: str, headers: MutableHeaders) -> None:
    media_type = headers.get("content-type", "")
    if path in _DOCUMENTATION or media_type.startswith("application/"):
        return
    if media_type.startswith("text/html"):
        for name, value in _PAGE_HEADERS.items():
            headers[name] = value
    elif path.startswith("/assets/"):
        # Their names hold a hash of their content.
        headers["Cache-Control"] = _FOR_GOOD
    else:
        headers["Cache-Control"] = "no-cache"
