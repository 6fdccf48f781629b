"""Rendering, hardened: in whatever a template does, values are printed and nothing else happens.

This is the second line: the grammar has refused all else before. Both run in a child process with limits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NoReturn

from jinja2 import StrictUndefined, Template, TemplateError, UndefinedError, meta, pass_context
from jinja2.runtime import Context, LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from gatepost.mail.rendering.language import clean, filters
from gatepost.mail.rendering.language.filters import LOOP, Forbidden
from gatepost.mail.rendering.shapes import Prepared, Rendered
from gatepost.mail.rendering.types import Part, TemplateRefused, refused

MAX_OUTPUT = 1_000_000
MAX_SUBJECT = 500
MAX_RESULT = 1e30

_UNSAFE_SUBJECT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]|=\?.*\?=")
_MESSAGES: dict[type[Exception], str] = {
    ZeroDivisionError: "This divides by zero for these values; put an if around it.",
    TypeError: "Values of different kinds meet here; compare and calculate with values of one kind.",
    OverflowError: "A number becomes too large here.",
    RecursionError: "This is nested too deeply; make it simpler.",
}


@dataclass(frozen=True, slots=True)
class Compiled:
    """A template as code; it lives in the child process alone. `in_subject` are the names its subject uses."""

    subject: Template
    html: Template
    text: Template
    in_subject: frozenset[str]


class _Missing(StrictUndefined):
    """A value that is not there: every use of it is refused, with a sentence of ours."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        name = self._undefined_name
        named = f' "{name[:60]}"' if isinstance(name, str) else ""
        return f"The value{named} is not there; give it, or say what comes instead with default or if."


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
    intercepted_unops = frozenset({"+", "-"})

    def __init__(self, *, autoescape: bool) -> None:
        # A finalize that asks for the context keeps the compiler from working out constants.
        super().__init__(
            autoescape=autoescape,
            undefined=_Missing,
            optimized=False,
            finalize=_printed,
            keep_trailing_newline=True,
            cache_size=0,
        )
        self.globals.clear()
        # Escaped for HTML, plain text would show its entities.
        plain = {} if autoescape else {"e": filters.as_text, "escape": filters.as_text}
        self.filters = filters.FILTERS | plain
        self.tests = dict(filters.TESTS)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return False

    def is_safe_callable(self, obj: Any) -> bool:
        return False

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: N805
        raise Forbidden("Nothing can be called in a template.")

    def getitem(self, obj: Any, argument: Any) -> Any:
        if type(obj) is dict and isinstance(argument, str) and argument in obj:
            return obj[argument]
        if type(obj) is LoopContext and argument in LOOP:
            return getattr(obj, argument)
        return self.undefined(name=str(argument)[:60])

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator not in {"+", "-", "*", "/"} or not (_is_number(left) and _is_number(right)):
            if isinstance(left, Undefined) or isinstance(right, Undefined):
                str(left), str(right)
            raise Forbidden("Calculate with numbers only; put texts together with ~.")
        return _bounded(super().call_binop(context, operator, left, right))

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:
        if not _is_number(arg):
            raise Forbidden("A sign stands before a number only.")
        return super().call_unop(context, operator, arg)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _bounded(value: float) -> float:
    if not -MAX_RESULT < value < MAX_RESULT:
        raise Forbidden("A number becomes too large here.")
    return value


@pass_context
def _printed(context: Context, value: Any) -> Any:
    """What is printed: texts and numbers as they are, nothing for none, true and false as JSON writes them."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if value is True or value is False:
        return "true" if value else "false"
    if _is_number(value):
        return str(value)
    if isinstance(value, Undefined):
        return str(value)
    raise Forbidden("A whole list or object cannot be printed; print its items or fields.")


_HTML = _Environment(autoescape=True)
_PLAIN = _Environment(autoescape=False)


def compile_template(prepared: Prepared) -> Compiled:
    """Make code of a template whose parts the grammar has let through.

    Raises:
        TemplateRefused: a part cannot be compiled.
    """
    subject = _PLAIN.parse(prepared.subject)
    return Compiled(
        _compiled("subject", prepared.subject, _PLAIN),
        _compiled("html", prepared.html, _HTML),
        _compiled("text", prepared.text, _PLAIN),
        frozenset(meta.find_undeclared_variables(subject)),
    )


def _compiled(part: Part, source: str, environment: _Environment) -> Template:
    try:
        return environment.from_string(source)
    except (TemplateError, SyntaxError, ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None) if isinstance(error, TemplateError) else None
        raise refused(part, "syntax", "This cannot be compiled; make it simpler.", line or 1) from None


def render(compiled: Compiled, context: Mapping[str, Any]) -> Rendered:
    """Render the three parts with a context as `check_values` returns it.

    Values lose control characters and bidirectional overrides; in the subject they lose line ends as well and are cut.

    Raises:
        TemplateRefused: `render-failed`, `too-long` or `subject-unsafe`.
        MemoryError: the limit of the process is reached.
    """
    values = clean.values(context)
    return Rendered(
        render_subject(compiled, context),
        render_part("html", compiled.html, values),
        clean.tidy(render_part("text", compiled.text, values)),
    )


def render_subject(compiled: Compiled, context: Mapping[str, Any]) -> str:
    """Render the subject and refuse one that could break out of its header.

    Raises:
        TemplateRefused: `render-failed`, `too-long` or `subject-unsafe`.
    """
    values = clean.subject_values({name: context[name] for name in compiled.in_subject if name in context})
    subject = render_part("subject", compiled.subject, values).strip()
    if not subject:
        raise refused("subject", "subject-unsafe", "The subject is empty for these values; write a text around them.")
    if len(subject) > MAX_SUBJECT:
        msg = f"The subject is longer than {MAX_SUBJECT} characters; shorten it."
        raise refused("subject", "subject-unsafe", msg)
    if (not subject.isprintable() or "=?" in subject) and _UNSAFE_SUBJECT.search(subject):
        msg = "The subject holds a line end, a control character or an encoded word; take it out."
        raise refused("subject", "subject-unsafe", msg)
    return subject


def render_part(part: Part, template: Template, values: dict[str, Any]) -> str:
    """Render one part and stop as soon as it is too long.

    Raises:
        TemplateRefused: `render-failed` or `too-long`.
    """
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
    except Exception as error:  # noqa: BLE001 - whatever a template brings about is its author's to mend
        raise _failed(part, error) from None
    whole = "".join(pieces)
    if length > MAX_OUTPUT or (length * 4 > MAX_OUTPUT and len(whole.encode("utf-8", "replace")) > MAX_OUTPUT):
        msg = f"This becomes longer than {MAX_OUTPUT} bytes; print less."
        raise refused(part, "too-long", msg)
    return whole


def _failed(part: Part, error: Exception) -> TemplateRefused:
    if isinstance(error, Forbidden | UndefinedError):
        msg = str(error)
    else:
        msg = next((msg for kind, msg in _MESSAGES.items() if isinstance(error, kind)), "This fails for these values.")
    return refused(part, "render-failed", msg, _line(error.__traceback__))


def _line(traceback: TracebackType | None) -> int:
    line = 1
    while traceback is not None:
        template = traceback.tb_frame.f_globals.get("__jinja_template__")
        if isinstance(template, Template):
            line = template.get_corresponding_lineno(traceback.tb_lineno)
        traceback = traceback.tb_next
    return line
