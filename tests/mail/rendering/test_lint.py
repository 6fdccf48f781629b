"""The linter: what it finds in HTML, at which position, and that no input makes it slow."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.rendering import Variable
from gatepost.mail.rendering.html.lint import lint
from gatepost.mail.rendering.pipeline import prepare
from gatepost.mail.rendering.types import MAX_DIAGNOSTICS, Source

DECLARED = [Variable("url", "url"), Variable("name"), Variable("flag", "boolean"), Variable("items", "list")]


def rules(html: str, severity: str | None = None) -> set[str]:
    return {each.rule for each in lint(html, DECLARED, "Hello") if severity in {None, each.severity}}


@pytest.mark.parametrize(
    "html",
    [
        '<a href="jAvAsCript:x">x</a>',
        '<a href="java&#x73;cript:x">x</a>',
        '<a href="javascript&colon;x">x</a>',
        '<a href="java\tscr\nipt:x">x</a>',
        '<a href="java&Tab;script:x">x</a>',
        '<a href="\x01 javascript:x">x</a>',
        '<a href="&#1;javascript:x">x</a>',
        "<a href=javascript:x>x</a>",
        '<a xlink:href="vbscript:x">x</a>',
        '<a href="data:text/html,x">x</a>',
        '<img alt="" src="data:image/svg+xml,x">',
        '<img alt="" src="file:///etc/passwd">',
        '<img alt="" src="//host/x.png">',
        '<img alt="" src="/\\host/x.png">',
        '<img alt="" srcset="https://a/b 1x, javascript:x 2x">',
        '<table background="javascript:x"></table>',
        '<p style="background:url(javascript:x)">x</p>',
        '<p style="background:u\\72l(java\\73 cript:x)">x</p>',
        '<p style="width:exp/**/ression(x)">x</p>',
        "<style>p { background: url('vbscript:x') }</style>",
        "<style>p { content: '/*'; background: url('vbscript:x'); content: '*/' }</style>",
        "<p style=\"font-family: '/*'; background: url(file:///x); content: '*/'\">x</p>",
        '<p style="behav{# #}ior: x">x</p>',
        '<p formaction="javascript:x">x</p>',
        '<a href="{% if flag %}java{% endif %}script:x">x</a>',
        '<!--[if mso]><a href="javascript:x">x</a><![endif]-->',
    ],
)
def test_unsafe_urls_are_errors(html: str) -> None:
    assert "unsafe-url" in rules(html, "error")


@pytest.mark.parametrize(
    ("html", "rule"),
    [
        ('<a href="{{ name }}">x</a>', "url-type"),
        ('<a href="{{ url }}/x">x</a>', "url-type"),
        ('<a href="{{ url | default(name) }}">x</a>', "url-type"),
        ('<a href="java{{ name }}:x">x</a>', "url-type"),
        ('<a href="https://{{ name | urlencode }}/">x</a>', "url-type"),
        ('<a href="https://x@{{ name | urlencode }}/">x</a>', "url-type"),
        ('<a href="https://x/{{ name }}">x</a>', "url-type"),
        ('<a href="{% for i in items %}{{ i }}{% endfor %}">x</a>', "url-type"),
        ('<a href="{% if flag %}{{ name }}{% else %}https://x/{% endif %}">x</a>', "url-type"),
        ('<p style="background:url({{ url }})">x</p>', "url-type"),
        ('<p style="color: {{ name }}">x</p>', "jinja-in-style"),
        ("<p class={{ name }}>x</p>", "unquoted-attribute"),
        ("<p/onclick=x>x</p>", "event-handler"),
        ('<p ONCLICK="x">x</p>', "event-handler"),
        ('<p title="a"onclick="x">x</p>', "event-handler"),
        ("<script>x</script>", "script"),
        ("<sCript/x>", "script"),
        ("<svg><a/></svg>", "script"),
        ("<math></math>", "script"),
        ("<x-thing>x</x-thing>", "script"),
        ('<p srcdoc="x">x</p>', "script"),
        ('<meta http-equiv=" Refresh" content="0">', "script"),
        ('<meta http-equiv="{{ name }}">', "script"),
        ("<form></form>", "form"),
        ('<link rel="stylesheet" href="https://x/">', "external-style"),
        ("<style>@im\\70ort 'x';</style>", "external-style"),
        ("<style>p { color: {{ name }} }</style>", "jinja-in-style"),
        ("<style>p { background: url(a'b) }</style>", "malformed-css"),
        ('<p style="content: \'a\n; color: red">x</p>', "malformed-css"),
        ('<p style="width: ' + "9" * 5000 + '">x</p>', "malformed-css"),
        ("<p {{ name }}>x</p>", "jinja-in-tag"),
        ("<p a{{ name }}b='x'>x</p>", "jinja-in-tag"),
        ("<p {% if flag %}class='x'{% endif %}>x</p>", "jinja-in-tag"),
        ("<{{ name }}>", "jinja-in-tag"),
        ("<{##}script>", "jinja-in-tag"),
        ("<\n{%- if flag %}script>{% endif %}", "jinja-in-tag"),
        ("</{{ name }}>", "jinja-in-tag"),
        ("<!-{##}- x -->", "jinja-in-tag"),
        ("<!-- -{##}-> <b>x</b> -->", "jinja-in-tag"),
        ("<!--{##}> <b>x</b> -->", "jinja-in-tag"),
        ("{% if flag %}<!--{% endif %} <b>x</b> {% if flag %}-->{% endif %}", "jinja-in-tag"),
        ("{% if flag %}<title>{% endif %}<b>x</b>{% if flag %}</title>{% endif %}", "jinja-in-tag"),
        ('<p title="{% if flag %}a" id="{% endif %}b">x</p>', "jinja-in-tag"),
        ('<p title="x>y', "unclosed-tag"),
        ("<!-- x", "unclosed-tag"),
        ("<style>p {}", "unclosed-tag"),
    ],
)
def test_unsafe_markup_is_an_error(html: str, rule: str) -> None:
    assert rule in rules(html, "error")


@pytest.mark.parametrize(
    ("html", "rule"),
    [
        ('<a href="page.html">x</a>', "unsafe-url"),
        ("<p class=x>x</p>", "unquoted-attribute"),
        ('<img src="https://x/y.png">', "missing-alt"),
        ('<p style="display: FLEX">x</p>', "unsupported-layout"),
        ("<style>p { position: fixed }</style>", "unsupported-layout"),
        ('<p style="color:#777;background:#888">x</p>', "dark-contrast"),
        ('<p style="color:hsl(0, 0%, 47%)" bgcolor="slategray">x</p>', "dark-contrast"),
        (
            "<style>@media (prefers-color-scheme: dark) { p { color:#333 } p { background:#000 } }</style>",
            "dark-contrast",
        ),
        ("<div><p>x</p>", "unclosed-tag"),
        ("x" * 110_000, "too-large"),
    ],
)
def test_poor_markup_is_a_warning(html: str, rule: str) -> None:
    assert (rule in rules(html, "warning"), rules(html, "error")) == (True, set())


@pytest.mark.parametrize(
    "html",
    [
        '<a href="{{ url }}">{{ name }}</a>',
        '<a href=" {{ url }} ">x</a>',
        '<a href="https://x/?q={{ name | urlencode }}&amp;r={{ name | upper | urlencode }}">x</a>',
        '<a href="{% if flag %}{{ url }}{% else %}https://x/{% endif %}">x</a>',
        '<a href="mailto:a@b.example">x</a> <a href="#top">x</a>',
        '<p class="a {% if flag %}b{% endif %}">{% if flag %}<b>x</b>{% endif %} 1 < 2 &amp; 3</p>',
        '<img alt="" src="data:image/png;base64,AAAA"><img alt="x" src="cid:logo">',
        '<!--[if mso]><v:rect href="{{ url }}">{{ name }}</v:rect><![endif]-->',
        "<!--[if !mso]><!--><b>x</b><!--<![endif]--><!--[if mso]><p>{{ name }}<![endif]-->",
        "<!-- <script>hidden</script> {{ name }} <p>{% if flag %}x{% endif %}</p> -->",
        "{# <script> #}<table><tr>{% for i in items %}<td>{{ i }}</td>{% endfor %}</tr></table>",
        "<style>@media (prefers-color-scheme: dark) { .a { color: #fff; background: #111 } }</style>",
        "{{ 'unclosed",
    ],
)
def test_correct_markup_has_no_diagnostics(html: str) -> None:
    assert lint(html, DECLARED, "Hello {{ name }}") == []


def test_diagnostics_have_the_line_and_column_of_the_source() -> None:
    found = lint('<p>ä{{ name }}\r\n  <b\n title="x" onclick="y">x</b></p>\n<script></script>', DECLARED, "")
    assert [(each.rule, each.line, each.column) for each in found] == [
        ("event-handler", 3, 12),
        ("script", 4, 1),
        ("script", 4, 9),
    ]


def test_diagnostics_in_a_style_sheet_have_the_position_of_the_source() -> None:
    sheet = (
        "<style>\n/* a\n */ a:hover { top: 0;\n  display: grid }\n"
        "@media (x) {\n @import 'x'; p { position: fixed } }</style>"
    )
    assert [(each.rule, each.line, each.column) for each in lint(sheet, DECLARED, "")] == [
        ("unsupported-layout", 4, 3),
        ("external-style", 6, 2),
        ("unsupported-layout", 6, 19),
    ]


@pytest.mark.parametrize(
    "piece", ["a{", "(", "a{b:c}", "a:b;", "!", "color:red;", "@media x{", '"\n', "rgb(9,9,9)", "9"]
)
@pytest.mark.parametrize("around", [("<style>", "</style>"), ("<p style='", "'>")])
def test_css_takes_linear_time(piece: str, around: tuple[str, str]) -> None:
    source = (piece * (100_000 // len(piece))).join(around)
    started_at = time.process_time()
    lint(source, DECLARED, "")
    assert time.process_time() - started_at < 1.0


CSS = st.lists(
    st.sampled_from(
        ["a", "{", "}", "(", ")", ":", ";", "url(", "'", '"', "\\", "\n", "\r", "\f", "/*", "*/", "@import", "@media ",
         "color:", "rgb(", "%", "9" * 5000, "9" * 400, "u+0-", "\\d800 ", "#", "{{ name }}", "&#13;"]
    )
).map("".join)  # fmt: skip


@given(CSS)
def test_any_css_gives_diagnostics_with_valid_lines(css: str) -> None:
    source = f"<style>{css}</style><p style='{css}' bgcolor='{css}'>x</p>"
    for each in lint(source, DECLARED, ""):
        assert 1 <= each.line <= source.count("\n") + source.count("\r") + 1


def test_markup_in_a_subject_is_reported() -> None:
    assert [(each.part, each.column) for each in lint("", DECLARED, "A &amp; B")] == [("subject", 3)]


def test_an_error_after_many_warnings_is_reported() -> None:
    source = Source("Hello", '<img src="https://x/">' * (MAX_DIAGNOSTICS + 50) + "<script></script>")
    found, prepared = prepare(source, [], "<!-- content -->")
    assert prepared is None
    assert len(found) == MAX_DIAGNOSTICS + 1
    assert (found[-1].rule, found[-1].severity) == ("more-diagnostics", "error")
    assert found[-1].msg.startswith("There are 52 more errors and warnings.")


@pytest.mark.parametrize(
    "piece", ["<", '"', "{{", "{%", "{#", "<!--", "<a ", '<a "', "</style", "url(", "&", "<style>/*", "{{["]
)
def test_repetition_takes_little_time(piece: str) -> None:
    source = piece * (256 * 1024 // len(piece))
    # Processor time, which other load on the machine hardly changes.
    started_at = time.process_time()
    lint(source, DECLARED, "")
    assert time.process_time() - started_at < 1.0


@given(
    st.lists(
        st.sampled_from(
            [
                "<",
                ">",
                "/",
                "!",
                "-",
                '"',
                "'",
                "=",
                " ",
                "a",
                "style",
                "{{ name }}",
                "{##}",
                "{% if flag %}",
                "{% endif %}",
                "url(",
                "\\",
                "[if x]",
                "]",
            ]
        )
    )
)
def test_any_input_gives_diagnostics_with_valid_positions(pieces: list[str]) -> None:
    source = "".join(pieces)
    for each in lint(source, DECLARED, ""):
        assert 1 <= each.line <= source.count("\n") + 1
        assert 1 <= each.column <= len(source) + 1
