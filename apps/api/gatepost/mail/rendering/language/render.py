"""Compiling and rendering templates in a hardened Jinja environment that can print values and do nothing else.

This is the second line of defense: the grammar has already rejected everything else. Both run in a sandbox process.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NoReturn

from jinja2 import StrictUndefined, Template, TemplateError, UndefinedError, meta, pass_context
from jinja2.runtime import Context, LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from gatepost.mail.rendering.language import filters
from gatepost.mail.rendering.language.filters import LOOP_PROPERTIES, Forbidden
from gatepost.mail.rendering.language.lexer import CONTROL, SURROGATE
from gatepost.mail.rendering.types import Part, Prepared, Rendered, RenderError, render_error

# Bytes of one rendered part.
MAX_OUTPUT = 1_000_000
MAX_SUBJECT = 500
MAX_VALUE_IN_SUBJECT = 150
MAX_RESULT = 1e30

_UNSAFE_SUBJECT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]|=\?.*\?=")
_SUBJECT_SPACE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_BLANK_LINES = re.compile(r"\n{3,}")
_INVISIBLE = " \t\f\v\r\u034f\u200b\u200c\u200d\u2060\ufeff"
_TOO_LARGE_NUMBER = "This calculation results in a number that is too large."
_MESSAGES: dict[type[Exception], str] = {
    ZeroDivisionError: "This divides by zero for these values. Put an if around it.",
    TypeError: "These values have different types. Compare and calculate with values of the same type.",
    OverflowError: _TOO_LARGE_NUMBER,
    RecursionError: "This is nested too deeply. Simplify it.",
}


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled template. It exists only in a sandbox process.

    `subject_names` are the names that the subject uses, `links` those of the variables that are links.
    """

    subject: Template
    html: Template
    text: Template
    subject_names: frozenset[str]
    links: tuple[str, ...] = ()


class _Missing(StrictUndefined):
    """A missing value: every use of it is an error."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        name = self._undefined_name
        named = f' "{name[:60]}"' if isinstance(name, str) else ""
        return f"The value{named} is missing. Provide it, or handle the case with default or if."


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
    intercepted_unops = frozenset({"+", "-"})

    def __init__(self, *, autoescape: bool) -> None:
        # A finalize that takes the context keeps the compiler from evaluating constants.
        super().__init__(
            autoescape=autoescape,
            undefined=_Missing,
            optimized=False,
            finalize=_finalize,
            keep_trailing_newline=True,
            cache_size=0,
        )
        self.globals.clear()
        # Escaping in plain text would show as HTML entities.
        plain = {} if autoescape else {"e": filters.as_text, "escape": filters.as_text}
        self.filters = filters.FILTERS | plain
        self.tests = dict(filters.TESTS)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return False

    def is_safe_callable(self, obj: Any) -> bool:
        return False

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: N805
        raise Forbidden("Templates cannot call functions.")

    def getitem(self, obj: Any, argument: Any) -> Any:
        if type(obj) is dict and isinstance(argument, str) and argument in obj:
            return obj[argument]
        if type(obj) is LoopContext and argument in LOOP_PROPERTIES:
            return getattr(obj, argument)
        return self.undefined(name=str(argument)[:60])

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator not in {"+", "-", "*", "/"} or not (_is_number(left) and _is_number(right)):
            if isinstance(left, Undefined) or isinstance(right, Undefined):
                str(left), str(right)
            raise Forbidden("Arithmetic needs numbers. Use ~ to concatenate strings.")
        result: float = super().call_binop(context, operator, left, right)
        if not -MAX_RESULT < result < MAX_RESULT:
            raise Forbidden(_TOO_LARGE_NUMBER)
        return result

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:
        if not _is_number(arg):
            raise Forbidden("A sign needs a number after it.")
        return super().call_unop(context, operator, arg)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


@pass_context
def _finalize(context: Context, value: Any) -> Any:
    """Return what is printed: strings and numbers as they are, nothing for none, booleans as in JSON."""
    if isinstance(value, str):
        return value
    try:
        return filters.as_text(value)
    except Forbidden:
        raise Forbidden("A list or object cannot be printed as a whole. Print its items or fields.") from None


_HTML = _Environment(autoescape=True)
_PLAIN = _Environment(autoescape=False)


def compile_template(prepared: Prepared) -> Compiled:
    """Compile a template whose parts have passed the grammar.

    Raises:
        RenderError: a part cannot be compiled.
    """
    subject = _PLAIN.parse(prepared.subject)
    return Compiled(
        _compile("subject", prepared.subject, _PLAIN),
        _compile("html", prepared.html, _HTML),
        _compile("text", prepared.text, _PLAIN),
        frozenset(meta.find_undeclared_variables(subject)),
        prepared.links,
    )


def _compile(part: Part, source: str, environment: _Environment) -> Template:
    try:
        return environment.from_string(source)
    except (TemplateError, SyntaxError, ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None) if isinstance(error, TemplateError) else None
        raise render_error(part, "syntax", "This part cannot be compiled. Simplify it.", line or 1) from None


def render(compiled: Compiled, context: Mapping[str, Any]) -> Rendered:
    """Render the three parts with a context that `check_values` returned.

    Control characters and bidirectional overrides are removed from values. In the subject, newlines become spaces and
    long values are truncated.

    Raises:
        RenderError: `render-failed`, `too-long` or `subject-unsafe`.
        MemoryError: the memory limit of the process is reached.
    """
    values = {name: _clean(value, _clean_text) for name, value in context.items()}
    return Rendered(
        _render_subject(compiled, context),
        _render_part("html", compiled.html, values),
        tidy_text(_render_part("text", compiled.text, values)),
    )


def tidy_text(rendered: str) -> str:
    """Return a rendered text part without trailing whitespace and without repeated blank lines."""
    lines = "\n".join(line.rstrip(_INVISIBLE) for line in rendered.replace("\u00a0", " ").split("\n"))
    return _BLANK_LINES.sub("\n\n", lines).strip("\n") + "\n"


def _render_subject(compiled: Compiled, context: Mapping[str, Any]) -> str:
    values = {name: _clean(context[name], _clean_subject) for name in compiled.subject_names if name in context}
    subject = _render_part("subject", compiled.subject, values).strip()
    if not subject:
        msg = "The subject is empty for these values. Add text that does not depend on them."
        raise render_error("subject", "subject-unsafe", msg)
    if len(subject) > MAX_SUBJECT:
        msg = f"The subject is longer than {MAX_SUBJECT} characters. Shorten it."
        raise render_error("subject", "subject-unsafe", msg)
    # What could break out of the header.
    if (not subject.isprintable() or "=?" in subject) and _UNSAFE_SUBJECT.search(subject):
        msg = "The subject contains a newline, a control character or an encoded word. Remove it."
        raise render_error("subject", "subject-unsafe", msg)
    return subject


def _render_part(part: Part, template: Template, values: dict[str, Any]) -> str:
    pieces: list[str] = []
    length = 0
    try:
        for piece in template.root_render_func(template.new_context(values, shared=True)):
            pieces.append(piece)
            length += len(piece)
            if length > MAX_OUTPUT:
                break
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - every failure of a template is reported to its author
        raise _failure(part, error) from None
    whole = "".join(pieces)
    if length > MAX_OUTPUT or (length * 4 > MAX_OUTPUT and len(whole.encode("utf-8", "replace")) > MAX_OUTPUT):
        raise render_error(part, "too-long", f"This part renders to more than {MAX_OUTPUT} bytes. Print less.")
    return whole


def _clean(value: Any, change: Callable[[str], str]) -> Any:
    """Return a value with every string in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_clean(item, change) for item in value]
    if isinstance(value, dict):
        return {key: _clean(item, change) for key, item in value.items()}
    return value


def _clean_text(value: str) -> str:
    if value.isprintable():
        return value
    return CONTROL.sub("", SURROGATE.sub("\ufffd", value))


def _clean_subject(value: str) -> str:
    if not value.isprintable() or "  " in value:
        value = CONTROL.sub("", SURROGATE.sub("\ufffd", _SUBJECT_SPACE.sub(" ", value)))
    if "=?" in value:
        value = value.replace("=?", "= ?")
    return value if len(value) <= MAX_VALUE_IN_SUBJECT else value[: MAX_VALUE_IN_SUBJECT - 1] + "…"


def _failure(part: Part, error: Exception) -> RenderError:
    if isinstance(error, Forbidden | UndefinedError):
        msg = str(error)
    else:
        other = "This part cannot be rendered with these values. Check them."
        msg = next((msg for kind, msg in _MESSAGES.items() if isinstance(error, kind)), other)
    return render_error(part, "render-failed", msg, _line(error.__traceback__))


def _line(traceback: TracebackType | None) -> int:
    line = 1
    while traceback is not None:
        template = traceback.tb_frame.f_globals.get("__jinja_template__")
        if isinstance(template, Template):
            line = template.get_corresponding_lineno(traceback.tb_lineno)
        traceback = traceback.tb_next
    return line
