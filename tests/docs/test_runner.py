"""A page that shows something wrong is caught."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.docs import markdown
from tests.support.docs.runner import Failed, fits, running


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ('{"a": 1}', '{"a":1,"b":2}'),
        ('{"a": …, "b": {…}, …}', '{"b":{"c":1},"a":[2]}'),
        ('[{"a": "x…"}]', '[{"a":"xyz"}]'),
        ('[{"a": 1}, …]', '[{"a":1},{"b":2}]'),
        ('{"a": […]}', '{"a":[1]}'),
        ("one\n  … three", "one two\nthree\n"),
    ],
)
def test_what_fits(expected: str, printed: str) -> None:
    assert fits(expected, printed)


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ('{"a": 1}', '{"a":2}'),
        ('{"a": 1}', '{"b":1}'),
        ('[{"a": 1}, …]', "[]"),
        ('[{"a": 1}]', '[{"a":1},{"b":2}]'),
        ('{"a": "x…"}', '{"a":"yx"}'),
        ("one", "two"),
        ("one", "one two"),
    ],
)
def test_what_does_not(expected: str, printed: str) -> None:
    assert not fits(expected, printed)


@pytest.mark.parametrize(
    "block",
    ["```sh\nfalse\ntrue\n```", "```sh\necho 1\n```\n\n```text\n2\n```", "```python\nassert False\n```"],
)
async def test_a_snippet_that_fails(block: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n\n{block}\n")
    (snippet,) = markdown.snippets_of(page)
    async with running(tmp_path, {"PATH": "/usr/bin:/bin"}, "", "") as runner:
        with pytest.raises(Failed, match=r"page\.md:3"):
            await runner.run(snippet)


def test_directives_and_outputs(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- not run: why -->\n```sh\na\n```\n\n"
        '```python title="b.py"\nb\n```\n\n'
        "<!-- background -->\n```sh\nc\n```\n\n```json\n{}\n```\n"
    )
    first, second, third = markdown.snippets_of(page)
    assert (first.not_run, first.output) == ("why", None)
    assert (second.file, second.not_run, second.background) == ("b.py", None, False)
    assert (third.background, third.output) == (True, "{}\n")
