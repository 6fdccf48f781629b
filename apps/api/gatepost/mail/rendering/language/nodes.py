"""The nodes of a template that are allowed; whatever is not listed here is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from jinja2 import nodes

from gatepost.mail.rendering.language.clean import SURROGATES, UNSAFE
from gatepost.mail.rendering.language.filters import FILTERS, LOOP, TESTS
from gatepost.mail.rendering.language.tokens import Tokens
from gatepost.mail.rendering.language.variables import ALWAYS_THERE, MAX_NUMBER, Variable, nearest
from gatepost.mail.rendering.types import Diagnostic, Part

MAX_LOOPS = 2

# These say nothing themselves: what they are made of is looked at.
_PLAIN = (
    nodes.Template, nodes.If, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Add, nodes.Sub,
    nodes.Mul, nodes.Div, nodes.Neg, nodes.Pos, nodes.Concat,
)  # fmt: skip
_SIGNS: dict[type[nodes.Node], tuple[str, str]] = {
    nodes.Pow: ("**", "powers"),
    nodes.Mod: ("%", "remainders"),
    nodes.FloorDiv: ("//", "divisions without a rest"),
    nodes.Call: ("(", "calls"),
    nodes.Slice: (":", "slices"),
    nodes.List: ("[", "lists written in the template"),
    nodes.Tuple: (",", "tuples"),
    nodes.Dict: ("{", "objects written in the template"),
}


class Walk:
    """A walk over one part's tree.

    `found` holds diagnostics of the rules `unknown-variable`, `forbidden-tag`, `forbidden-filter`, `forbidden-test`,
    `forbidden-expression`, `control-character` and `too-deep`; `used` the declared names it came across.
    """

    def __init__(self, part: Part, tokens: Tokens, declared: Sequence[Variable] | None) -> None:
        self.found: list[Diagnostic] = []
        self.used: set[str] = set()
        self._part = part
        self._tokens = tokens
        self._types: dict[str, str] | None = None
        if declared is not None:
            self._types = {variable.name: variable.type for variable in declared}
            self._types.update(dict.fromkeys(ALWAYS_THERE, "string"))
        self._items: list[str] = []
        # How often a name was come across in a line: the finger points at this one, not at its namesake before.
        self._seen: Counter[tuple[int, str]] = Counter()
        self._handlers: dict[type[nodes.Node], Callable[[Any], None]] = {
            nodes.TemplateData: lambda _: None,
            nodes.Output: self._output,
            nodes.For: self._for,
            nodes.Name: self._name,
            nodes.Const: self._const,
            nodes.Getattr: self._field,
            nodes.Getitem: self._field,
            nodes.Filter: self._filter,
            nodes.Test: self._test,
            nodes.CondExpr: self._inline_if,
            **dict.fromkeys(_PLAIN, self._children),
        }

    def visit(self, node: nodes.Node) -> None:
        """Look at a node and at all below it."""
        self._handlers.get(type(node), self._not_allowed)(node)

    def _children(self, node: nodes.Node) -> None:
        for child in node.iter_child_nodes():
            self.visit(child)

    def _report(self, node: nodes.Node, rule: str, text: str, msg: str) -> None:
        column = self._tokens.column(node.lineno, text, self._seen[node.lineno, text] or 1)
        found = Diagnostic(self._part, rule, "error", node.lineno, column, msg)
        if found not in self.found:
            self.found.append(found)

    def _not_allowed(self, node: nodes.Node) -> None:
        if isinstance(node, nodes.Stmt):
            self._report(node, "forbidden-tag", "", "This tag cannot be used; there are only if and for.")
            return
        sign, what = _SIGNS.get(type(node), ("", "such expressions"))
        self._report(node, "forbidden-expression", sign, f"There are no {what} in templates; do it before sending.")

    def _expression(self, node: nodes.Node, text: str, msg: str) -> None:
        self._report(node, "forbidden-expression", text, msg)

    def _output(self, node: nodes.Output) -> None:
        for child in node.nodes:
            if isinstance(child, nodes.Name) and self._type(child.name) == "list":
                self._expression(child, child.name, f'"{child.name}" is a list; print its items with for or join.')
                self.used.add(child.name)
            else:
                self.visit(child)

    def _type(self, name: str) -> str | None:
        return None if self._types is None or name in self._items else self._types.get(name)

    def _for(self, node: nodes.For) -> None:
        target = node.target
        if node.recursive or node.test is not None:
            self._expression(node, "for", "A loop is written {% for item in list %}; put conditions inside it.")
        if len(self._items) >= MAX_LOOPS:
            self._report(node, "too-deep", "for", f"Loops are nested at most {MAX_LOOPS} deep; make it simpler.")
        if not isinstance(target, nodes.Name):
            self._expression(node, "for", "A loop has one name for its items: {% for item in list %}.")
            return
        self._looped(node.iter)
        name = target.name
        self._seen[target.lineno, name] += 1
        if name == "loop" or name in self._items or name.startswith("_") or (self._types and name in self._types):
            self._expression(target, name, f'"{name[:60]}" means something else already; name the items differently.')
        self._items.append(name)
        for child in node.body:
            self.visit(child)
        self._items.pop()
        for child in node.else_:
            self.visit(child)

    def _looped(self, node: nodes.Node) -> None:
        if not isinstance(node, nodes.Name):
            self._expression(node, "in", "A loop goes over a variable that is declared as a list, without filters.")
            return
        self._name(node)
        if node.name in self._items or self._type(node.name) not in {None, "list"}:
            self._expression(node, node.name, f'"{node.name[:60]}" is not a list; declare it as one to loop over it.')

    def _name(self, node: nodes.Name) -> None:
        name = node.name
        self._seen[node.lineno, name] += 1
        if name in self._items:
            return
        if name == "loop":
            self._expression(node, name, f"Write which of {', '.join(sorted(LOOP))} you want: loop.index.")
        elif self._types is not None and name not in self._types:
            known = [*self._types, *self._items]
            msg = f'There is no variable "{name[:60]}"; declare it, or correct its name.{nearest(name, known)}'
            self._report(node, "unknown-variable", name, msg)
        self.used.add(name)

    def _const(self, node: nodes.Const) -> None:
        value = node.value
        if isinstance(value, str):
            if UNSAFE.search(value) or SURROGATES.search(value) or (self._part == "subject" and "\n" in value):
                self._report(node, "control-character", "", "This text holds a control character; take it out.")
        elif type(value) in (int, float) and not abs(value) < MAX_NUMBER:
            self._expression(node, "", "A number is smaller than 1e15.")

    def _field(self, node: nodes.Getattr | nodes.Getitem) -> None:
        owner = node.node
        key = node.attr if isinstance(node, nodes.Getattr) else None
        if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            key = node.arg.value
        if not isinstance(owner, nodes.Name) or not isinstance(key, str) or key.startswith("_"):
            msg = 'Fields are read from the items of a loop only: item.field, or item["field"].'
            self._expression(node, key if isinstance(key, str) else "[", msg)
        elif owner.name == "loop" and self._items:
            self._seen[owner.lineno, "loop"] += 1
            if key not in LOOP:
                self._expression(node, key, f"A loop knows {', '.join(sorted(LOOP))}.{nearest(key, list(LOOP))}")
        else:
            self._name(owner)
            if owner.name not in {"loop", *self._items} and (self._types is None or owner.name in self._types):
                msg = f'"{owner.name[:60]}" has no fields; only the items of a loop have.'
                self._expression(node, owner.name, msg)

    def _filter(self, node: nodes.Filter) -> None:
        if node.node is None or node.dyn_args is not None or node.dyn_kwargs is not None:
            self._expression(node, node.name, "A filter is written {{ value | filter }}, its arguments one by one.")
            return
        if node.name not in FILTERS:
            known = ", ".join(sorted(FILTERS))
            msg = f'There is no filter "{node.name[:60]}".{nearest(node.name, list(FILTERS))} There are {known}.'
            self._report(node, "forbidden-filter", node.name, msg)
        self._arguments(node)

    def _test(self, node: nodes.Test) -> None:
        if node.name not in TESTS or node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
            msg = f'There is no test "{node.name[:60]}" written like this. There are {", ".join(sorted(TESTS))}.'
            self._report(node, "forbidden-test", node.name, msg)
        self._arguments(node)

    def _arguments(self, node: nodes.Filter | nodes.Test) -> None:
        if node.node is not None:
            self.visit(node.node)
        for argument in node.args:
            self.visit(argument)
        for pair in node.kwargs:
            self.visit(pair.value)

    def _inline_if(self, node: nodes.CondExpr) -> None:
        if node.expr2 is None:
            self._expression(node, "if", 'Say what comes otherwise: {{ "a" if x else "b" }}.')
        self._children(node)
