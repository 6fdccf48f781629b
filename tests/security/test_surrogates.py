"""Half a surrogate pair, which no UTF-8 text can hold, wherever the OpenAPI document has a string."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support import Service, assert_problem

DOCUMENT = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text(encoding="utf-8"))
# Percent-encoded UTF-8 of a lone surrogate, and of a truncated one.
ENCODED = ["%ED%A0%80", "a%ED%BF", "%FF"]
# Escapes in JSON: alone, first, last, and in the wrong order.
ESCAPED = [r"\ud800", r"\udfff", r"a\ud800b", r"\udc00\ud800"]
# Cursors of each list's types, with a surrogate for each string.
CURSORS = [["\ud800", str(uuid4())], ["\ud800"], ["\udfff", 1], [0, 0, "\ud800"], [1, "\ud800"], ["a\ud800", "\ud800"]]


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def fill(path: str, value: str) -> str:
    for part in path.split("/"):
        if part.startswith("{"):
            path = path.replace(part, value)
    return path


def parameters(operation: dict[str, Any], where: str) -> list[str]:
    return [each["name"] for each in operation.get("parameters", []) if each["in"] == where]


def resolve(schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return DOCUMENT["components"]["schemas"][name] if name else schema


def strings(schema: dict[str, Any], depth: int = 0) -> Iterator[str]:
    """Return JSON texts of a schema with SURROGATE for one of its strings each."""
    schema = resolve(schema)
    if depth > 4:
        return
    for each in (*schema.get("anyOf", []), *schema.get("oneOf", [])):
        yield from strings(each, depth + 1)
    if schema.get("type") == "string" or "type" not in schema:
        yield '"SURROGATE"'
    for name, each in schema.get("properties", {}).items():
        yield from (f'{{"{name}": {text}}}' for text in strings(each, depth + 1))
    if "additionalProperties" in schema or schema.get("type") == "object":
        yield '{"SURROGATE": "x"}'
    if "items" in schema:
        yield from (f"[{text}]" for text in strings(schema["items"], depth + 1))


@pytest.fixture
async def headers(service: Service) -> dict[str, str]:
    admin = await service.register_admin()
    return {"Authorization": f"Bearer {admin.access_token}"}


async def send(service: Service, method: str, path: str, **options: Any) -> httpx.Response:
    response = await service.http.request(method, path, **options)
    assert response.status_code < 500, (method, path, options, response.text)
    return response


async def test_in_paths_queries_and_headers(service: Service, headers: dict[str, str]) -> None:
    sent = 0
    for method, path, operation in operations():
        if operation["operationId"] in ("logout", "revoke_other_sessions"):
            continue
        for value in ENCODED:
            if parameters(operation, "path"):
                await send(service, method, fill(path, value), headers=headers, json={})
                sent += 1
            for name in parameters(operation, "query"):
                url = f"{fill(path, str(uuid4()))}?{name}={value}"
                await send(service, method, url, headers=headers)
                await send(service, method, f"{url.partition('?')[0]}?{value}={value}", headers=headers)
                sent += 2
        for name in ("X-Request-ID", "User-Agent", "Accept-Language", *parameters(operation, "header")):
            raw = [*((key.encode(), text.encode()) for key, text in headers.items()), (name.encode(), b"\xed\xa0\x80")]
            await send(service, method, fill(path, str(uuid4())), headers=raw)
            sent += 1
    assert sent > 200


async def test_in_cursors(service: Service, headers: dict[str, str]) -> None:
    lists = [path for method, path, operation in operations() if "cursor" in parameters(operation, "query")]
    assert len(lists) > 5
    for path in lists:
        for key in CURSORS:
            cursor = base64.urlsafe_b64encode(json.dumps(key).encode()).decode()
            url = f"{fill(path, str(uuid4()) if 'id' in path else 'welcome')}?cursor={cursor}"
            response = await send(service, "GET", url, headers=headers)
            assert_problem(response, 422, "validation_failed")


async def test_in_bodies(service: Service, headers: dict[str, str]) -> None:
    sent = 0
    for method, path, operation in operations():
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            continue
        for text in strings(content["application/json"]["schema"]):
            for escape in ESCAPED[:2] if sent > 100 else ESCAPED:
                body = text.replace("SURROGATE", escape)
                response = await send(
                    service,
                    method,
                    fill(path, str(uuid4()) if "_id}" in path else "welcome"),
                    content=body,
                    headers={**headers, "Content-Type": "application/json"},
                )
                # A webhook's signature is checked before its body.
                assert response.status_code in ((401,) if "webhooks" in path else (422,)), (path, body, response.text)
                sent += 1
    assert sent > 100


async def test_in_forms(service: Service, headers: dict[str, str]) -> None:
    url = "/v1/settings/email-templates/welcome/preview"
    form = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
    for body in (
        *(f"html={value}" for value in ENCODED),
        *(f'html=x&variables={{"name": "{escape}"}}' for escape in ESCAPED),
        *(f'html=x&declared=[{{"name": "x", "example": "{escape}"}}]' for escape in ESCAPED),
    ):
        response = await send(service, "POST", url, content=body.encode(), headers=form)
        assert response.status_code == 422, response.text
