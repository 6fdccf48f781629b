"""The built web app, served from the service's own origin under a strict content security policy."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gatepost import package_files

_IMMUTABLE = "public, max-age=31536000, immutable"

# OWASP ASVS 3.4: only our own scripts run, no other site may frame them, and no inline styles.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        # rendered email, which is served under a stricter policy of its own
        "frame-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
# FastAPI's own pages load their scripts from a CDN; they do not exist in production.
_DOCUMENTATION = ("/docs", "/docs/oauth2-redirect")
_PAGE_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-cache",
}


def serve_pages(app: FastAPI) -> None:
    """Serve the built web app for every path that no API route handles. Does nothing if it was not built."""
    directory = package_files.pages()
    if directory is None:
        return
    app.frontend("/", directory=directory, fallback="index.html", check_dir=True)
    app.add_middleware(PageHeaders)


class PageHeaders:
    """ASGI middleware: sets the caching and security headers of the web app's files."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start" and "route" not in scope:
                _set_headers(scope["path"], MutableHeaders(scope=message))
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def _set_headers(path: str, headers: MutableHeaders) -> None:
    media_type = headers.get("content-type", "")
    if path in _DOCUMENTATION or media_type.startswith("application/"):
        return
    if media_type.startswith("text/html"):
        for name, value in _PAGE_HEADERS.items():
            headers[name] = value
    elif path.startswith("/assets/"):
        # File names contain a hash of the content.
        headers["Cache-Control"] = _IMMUTABLE
        # Of a worker, this is the policy.
        headers["Content-Security-Policy"] = _POLICY
    else:
        headers["Cache-Control"] = "no-cache"
