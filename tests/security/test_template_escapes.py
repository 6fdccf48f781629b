"""The known ways out of Jinja's sandbox, and their spellings: each is rejected when saved, and when rendered.

From the published escapes (CVE-2016-10745, CVE-2019-10906, CVE-2024-22195, CVE-2024-34064, CVE-2024-56201,
CVE-2024-56326, CVE-2025-27516) and the common payload collections for server-side template injection.
"""

from __future__ import annotations

import pytest

from gatepost.mail.rendering import Prepared, Rendered, RenderError, RenderPool, Source
from gatepost.mail.rendering.types import has_errors
from tests.support.rendering import DECLARED, context

# From any value to its class, from there to every class, and to a module with `os`.
_WALKS = [
    ".__class__",
    ".__class__.__base__.__subclasses__()",
    ".__class__.__mro__[1].__subclasses__()[0]",
    ".__class__.mro()",
    ".__init__.__globals__",
    ".__init__.__globals__['__builtins__']['eval']('1')",
    ".__init__.__globals__.os.popen('id').read()",
    ".__getattribute__('__class__')",
    ".__reduce_ex__(2)",
    ".__format__",
    ".__doc__",
    ".__dict__",
    ".__module__",
]
_VALUES = [
    "''",
    "name",
    "items",
    "1",
    "1.5",
    "true",
    "none",
    "[]",
    "()",
    "{}",
    "locale",
    "('a' ~ 'b')",
    "(name | upper)",
]
# What Jinja, Flask, Django, Ansible and other hosts put in reach.
_NAMES = [
    "self",
    "self._TemplateReference__context",
    "self.__init__.__globals__",
    "cycler",
    "cycler.__init__.__globals__.os",
    "joiner.__init__.__globals__",
    "namespace.__init__.__globals__",
    "namespace(a=1)",
    "lipsum()",
    "lipsum.__globals__.os.environ",
    "range(3)",
    "range.__class__",
    "dict.__base__",
    "dict(a=1)",
    "request.application.__globals__",
    "config",
    "config.items()",
    "settings.SECRET_KEY",
    "get_flashed_messages.__globals__",
    "url_for.__globals__",
    "g.pop.__globals__",
    "session",
    "current_app",
    "app",
    "environment",
    "environ",
    "context",
    "caller()",
    "varargs",
    "kwargs",
    "gettext('x')",
    "_('x')",
    "ngettext",
    "debug()",
    "lookup('file', '/etc/passwd')",
    "hostvars",
    "__import__('os')",
    "open('/etc/passwd')",
    "eval('1')",
    "exec('1')",
    "globals()",
    "locals()",
    "vars()",
    "getattr(name, 'x')",
    "builtins",
    "__builtins__",
    "__name__",
    "__file__",
    "loader",
    "template",
]
# An attribute by another name or another way.
_SPELLINGS = [
    "name['__class__']",
    "name['__cla' ~ 'ss__']",
    "name['__cla' + 'ss__']",
    "name['%sclass%s' % ('__', '__')]",
    "name['\\x5f\\x5fclass\\x5f\\x5f']",
    "name['\\137\\137class\\137\\137']",
    "name['\\u005f\\u005fclass\\u005f\\u005f']",
    "name['__ssalc__'[::-1]]",
    "name['__ssalc__' | reverse]",
    "name[['__cl', 'ass__'] | join]",
    "name[('__cl', 'ass__') | join]",
    "name[dict(__class__=1) | join]",
    "name[dict(__cl=1, ass__=1) | join]",
    "name['__CLASS__' | lower]",
    "name['x__class__x' | replace('x', '')]",
    "name['__class__ ' | trim]",
    "name[items | first]",
    "name[name]",
    "name[0]",
    "name[:1]",
    "(name).__class__",
    "name . __class__",
    "name\n.__class__",
    "name.\uff3f\uff3fclass\uff3f\uff3f",
    "name.__clas\u017f__",
    "name | attr('__class__')",
    "name | attr('__class__') | attr('__mro__') | last",
    "name | attr('__cla' ~ 'ss__')",
    "name | attr(name)",
    "name | attr('\\x5f\\x5fclass\\x5f\\x5f')",
    "name | attr(['__', 'class', '__'] | join)",
    "name|attr\n('__class__')",
    "items | map(attribute='__class__') | list",
    "items | map('attr', '__class__') | list",
    "items | map('upper') | list",
    "items | sort(attribute='__class__')",
    "items | sort(attribute='__class__,__init__')",
    "items | groupby('__class__')",
    "items | groupby(attribute='__init__.__globals__')",
    "items | sum(attribute='__class__')",
    "items | unique(attribute='__class__')",
    "items | max(attribute='__class__')",
    "items | min(attribute='__class__')",
    "items | selectattr('__class__')",
    "items | selectattr('__class__', 'equalto', 1) | list",
    "items | rejectattr('__class__')",
    "items | select('callable') | list",
    "items | dictsort",
    "items | items",
    "items | random",
    "items | string",
    "items | list",
    "items | pprint",
    "items | tojson",
    "items | xmlattr",
    "{'a b=1 onload': 1} | xmlattr",
    "{'a/onload=x': 1} | xmlattr",
    "{'a>': 1} | xmlattr",
    "name | urlize",
    "name | safe",
    "name | forceescape | safe",
    "name | striptags | safe",
    "name | filesizeformat",
    "name | format(1)",
    "name | wordwrap(1)",
    "name | center(9)",
    "name | indent(9)",
    "'{0.__class__}'.format(name)",
    "'{0.__class__.__init__.__globals__}'.format(name)",
    "'{a.__class__}'.format_map({'a': 1})",
    "'{0.__class__}'['format'](name)",
    "('{0.__class__}' | attr('format'))(name)",
    "('{0.__class__}' | attr('format_map'))({'a': 1})",
    "['{0.__class__}'] | map('format', name) | list",
    "['{0.__class__}' ] | map(attribute='format') | first",
    "'%s' | format(name.__class__)",
    "'%s' % name",
    "'%(a)s' % {'a': name}",
    "name is callable",
    "name is filter('attr')",
    "name is test('callable')",
    "name is sameas(items)",
    "name is mapping",
    "name is sequence",
    "name if name.__class__ else 1",
    "1 if 1 else name.__class__",
    "name and name.__class__",
    "not name.__class__",
    "name ~ name.__class__",
    "name in name.__class__",
    "name.__class__ is defined",
    "name.__class__ | default('x')",
    "undefined.__class__ | default('x')",
    "name()",
    "name('x')",
    "(name)(name)",
    "items.append(1)",
    "items.__setitem__(0, 1)",
    "items.clear()",
    "name.encode()",
    "name.join(items)",
    "name.split()",
    "name.translate({})",
    "name.maketrans('a', 'b')",
    "lambda: 1",
    "[x for x in items]",
    "await name",
    "name := 1",
    "*items",
    "name; 1",
    "`id`",
    "${7*7}",
    "name!r",
]
_BLOCKS = [
    "{% for x in items %}{{ x.__class__ }}{% endfor %}",
    "{% for x in items %}{{ x['__class__'] }}{% endfor %}",
    "{% for x in items %}{{ loop }}{% endfor %}",
    "{% for x in items %}{{ loop.__class__ }}{% endfor %}",
    "{% for x in items %}{{ loop.__init__.__globals__ }}{% endfor %}",
    "{% for x in items %}{{ loop._iterator }}{% endfor %}",
    "{% for x in items %}{{ loop.previtem.__class__ }}{% endfor %}",
    "{% for x in items %}{{ loop.cycle.__globals__ }}{% endfor %}",
    "{% for x in items %}{{ loop.changed(x) }}{% endfor %}",
    "{% for x in items recursive %}{{ loop([]) }}{% endfor %}",
    "{% for x in items if x.__class__ %}{% endfor %}",
    "{% for c in ''.__class__.__mro__ %}{{ c }}{% endfor %}",
    "{% for c in [].__class__.__base__.__subclasses__() %}{% endfor %}",
    "{% for k, v in name.__class__.__dict__.items() %}{% endfor %}",
    "{% for _ in lipsum.__globals__ %}{% endfor %}",
    "{% async for x in items %}{% endfor %}",
    "{% if name.__class__ %}x{% endif %}",
    "{% if ''.__class__.__name__ == 'str' %}x{% endif %}",
    "{% if false %}{% elif name.__class__ %}x{% endif %}",
    "{% set x = ''.__class__ %}{{ x }}",
    "{% set ns = namespace(x=1) %}{% set ns.x = name.__class__ %}",
    "{% set x %}{{ name.__class__ }}{% endset %}",
    "{% with x = ''.__class__ %}{{ x }}{% endwith %}",
    "{% macro m() %}{{ caller.__globals__ }}{% endmacro %}{% call m() %}{% endcall %}",
    "{% macro m() %}{{ varargs.__class__ }}{% endmacro %}{{ m() }}",
    "{% macro m() %}{% endmacro %}{{ m.__globals__ }}",
    "{% macro m() %}{% endmacro %}{{ m._func }}",
    "{% call(x) m() %}{% endcall %}",
    "{% filter attr('__class__') %}x{% endfilter %}",
    "{% filter format(name.__class__) %}%s{% endfilter %}",
    "{% block title %}{{ self.title.__globals__ }}{% endblock %}",
    "{% block title scoped required %}{% endblock %}",
    "{% include name %}",
    "{% include '../../etc/passwd' ignore missing %}",
    "{% include ['a', 'b'] without context %}",
    "{% import 'x' as y with context %}",
    "{% from 'x' import y %}",
    "{% extends name %}",
    "{% extends 'layout' %}",
    "{% autoescape false %}{{ name }}{% endautoescape %}",
    "{% do items.append(1) %}",
    "{% trans x=name.__class__ %}{{ x }}{% endtrans %}",
    "{% debug %}",
    "{% raw %}{{ name }}{% endraw %}",
    "{% print name.__class__ %}",
    "{% break %}",
    "{% continue %}",
    "{% load x %}",
    "{% python %}1{% endpython %}",
    "{%+ set x = 1 %}",
    "{%- set x = 1 -%}",
    "{%\nset x = 1\n%}",
    "{{ '{{' }}{% set x = 1 %}",
    "{# {% #}{{ name.__class__ }}{# %} #}",
    "{{ name }}{{ '}}' }}{{ name.__class__ }}",
    "{{ name -}} {{- name.__class__ }}",
]
ESCAPES = [f"{{{{ {value}{walk} }}}}" for value in _VALUES for walk in _WALKS]
ESCAPES += [f"{{{{ {expression} }}}}" for expression in (*_NAMES, *_SPELLINGS)]
ESCAPES += _BLOCKS
LEAKS = ("<class", "<function", "<module", "<built-in", "<generator", "<bound", "object at 0x", "root:", "uid=")


@pytest.mark.parametrize("start", range(8))
async def test_every_known_escape_is_rejected(pool: RenderPool, start: int) -> None:
    faults = []
    for escape in ESCAPES[start::8]:
        part = f"<p>{escape}</p>"
        found = await pool.check(Source(escape, part, escape, escape), DECLARED)
        # `$`, `;` and the like are text to Jinja's neighbours; here they are errors too.
        rejected = {one.part for one in found if one.severity == "error"}
        if not {"subject", "html", "text", "preheader"} <= rejected:
            faults.append(f"saved in {sorted({'subject', 'html', 'text', 'preheader'} - rejected)}: {escape}")
        # A row that was written past the service, by SQL, or before a rule existed.
        for prepared in (Prepared("past", escape, "<p>h</p>", "t"), Prepared("past", "s", part, escape)):
            try:
                [done] = await pool.render(prepared, [context(items=["__class__", "a"])])
            except RenderError as error:
                done = error
            if isinstance(done, Rendered) or any(leak in str(done) for leak in LEAKS):
                faults.append(f"rendered: {escape} -> {done}")
    assert not faults, "\n".join(faults)
    assert not has_errors(await pool.check(Source("{{ name }}", "<p>{{ name }}</p>", "{{ name }}"), DECLARED))


@pytest.mark.parametrize("attribute", ["'__class__'", "'__class__.__mro__'", "'append'", "name"])
async def test_the_attribute_of_join_is_a_key_of_values(pool: RenderPool, attribute: str) -> None:
    """It may be saved, for values may have any keys; of Python's own attributes it finds none."""
    joined = Prepared("joined", "s", "<p>h</p>", f"{{{{ items | join(attribute={attribute}) }}}}")
    for items in (["a"], [{"a": 1}], [1]):
        [done] = await pool.render(joined, [context(items=items, name="__class__")])
        assert isinstance(done, RenderError)
        assert not any(leak in str(done) for leak in LEAKS)
