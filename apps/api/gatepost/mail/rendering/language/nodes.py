"""The Jinja nodes that templates may contain. Every node that is not listed here is an error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any

from jinja2 import nodes

from gatepost.mail.rendering.language.filters import FILTERS, LOOP_PROPERTIES, TESTS
from gatepost.mail.rendering.language.lexer import CONTROL, SURROGATE, TokenIndex
from gatepost.mail.rendering.language.variables import BUILT_IN_VARIABLES, MAX_NUMBER, Variable, did_you_mean
from gatepost.mail.rendering.types import Diagnostic, Part

MAX_LOOPS = 2
# Diagnostics of one part that say which known name is the most similar: finding it takes about a millisecond.
_MAX_HINTS = 10

# Allowed as they are; only their children are checked.
_CONTAINERS = (
    nodes.Template, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Add, nodes.Sub,
    nodes.Mul, nodes.Div, nodes.Neg, nodes.Pos, nodes.Concat,
)  # fmt: skip
# The token by which each forbidden expression is found in the source, and what it is called.
_FORBIDDEN: dict[type[nodes.Node], tuple[str, str]] = {
    nodes.Pow: ("**", "exponentiation"),
    nodes.Mod: ("%", "the remainder operator"),
    nodes.FloorDiv: ("//", "floor division"),
    nodes.Call: ("(", "function calls"),
    nodes.Slice: (":", "slices"),
    nodes.List: ("[", "list literals"),
    nodes.Tuple: (",", "tuples"),
    nodes.Dict: ("{", "object literals"),
}


class NodeChecker:
    """Checks the syntax tree of one part.

    `found` are diagnostics of the rules `unknown-variable`, `forbidden-tag`, `forbidden-filter`, `forbidden-test`,
    `forbidden-expression`, `control-character`, `too-deep` and `link-variable`. `used` are the names of the variables
    in the tree.

    Without `declared`, every variable name is allowed. `links` are the names of links. They can be printed as they are,
    in HTML and text, and a condition can test whether there is one: anything else could send a part of a token
    elsewhere. Where in the HTML they are printed is checked by `html.links`.
    """

    def __init__(
        self, part: Part, tokens: TokenIndex, declared: Sequence[Variable] | None, links: Collection[str] = ()
    ) -> None:
        # Diagnostics without duplicates, in order.
        self._found: dict[Diagnostic, None] = {}
        self._hints = 0
        self._links = links
        self.used: set[str] = set()
        self._part = part
        self._tokens = tokens
        self._types: dict[str, str] | None = None
        if declared is not None:
            self._types = {variable.name: variable.type for variable in declared}
            self._types.update(dict.fromkeys(BUILT_IN_VARIABLES, "string"))
        self._loop_items: list[str] = []
        # How often each name was seen on each line, so that a diagnostic points at the right occurrence.
        self._seen: Counter[tuple[int, str]] = Counter()
        self._handlers: dict[type[nodes.Node], Callable[[Any], None]] = {
            nodes.TemplateData: lambda _: None,
            nodes.Output: self._output,
            nodes.If: self._if,
            nodes.For: self._for,
            nodes.Name: self._name,
            nodes.Const: self._const,
            nodes.Getattr: self._field,
            nodes.Getitem: self._field,
            nodes.Filter: self._filter,
            nodes.Test: self._test,
            nodes.CondExpr: self._inline_if,
            **dict.fromkeys(_CONTAINERS, self._children),
        }

    @property
    def found(self) -> list[Diagnostic]:
        """The diagnostics so far."""
        return list(self._found)

    def visit(self, node: nodes.Node) -> None:
        """Check a node and everything below it."""
        self._handlers.get(type(node), self._forbidden)(node)

    def _children(self, node: nodes.Node) -> None:
        for child in node.iter_child_nodes():
            self.visit(child)

    def _report(self, node: nodes.Node, rule: str, text: str, msg: str) -> None:
        column = self._tokens.column(node.lineno, text, self._seen[node.lineno, text] or 1)
        self._found[Diagnostic(self._part, rule, "error", node.lineno, column, msg)] = None

    def _hint(self, name: str, known: Sequence[str]) -> str:
        self._hints += 1
        return did_you_mean(name, known) if self._hints <= _MAX_HINTS else ""

    def _forbidden(self, node: nodes.Node) -> None:
        if isinstance(node, nodes.Stmt):
            self._report(node, "forbidden-tag", "", "This tag is not allowed. Use only if and for.")
            return
        text, name = _FORBIDDEN.get(type(node), ("", "this kind of expression"))
        self._expression(node, text, f"Templates do not support {name}. Compute the value before sending.")

    def _expression(self, node: nodes.Node, text: str, msg: str) -> None:
        self._report(node, "forbidden-expression", text, msg)

    def _output(self, node: nodes.Output) -> None:
        for child in node.nodes:
            if isinstance(child, nodes.Name) and self._type(child.name) == "list":
                self._expression(child, child.name, f'"{child.name}" is a list. Print its items with for or join.')
                self.used.add(child.name)
            elif self._is_link(child):
                self._print_link(child)
            else:
                self.visit(child)

    def _is_link(self, node: nodes.Node) -> bool:
        return isinstance(node, nodes.Name) and node.name in self._links

    def _print_link(self, node: Any) -> None:
        self._seen[node.lineno, node.name] += 1
        self.used.add(node.name)
        if self._part not in {"html", "text"}:
            msg = (
                f'"{node.name[:60]}" is a link with a token, which notifications and logs would show here. '
                "Use it in the HTML or the text."
            )
            self._report(node, "link-variable", node.name, msg)

    def _if(self, node: nodes.If) -> None:
        self._condition(node.test)
        for child in [*node.body, *node.elif_, *node.else_]:
            self.visit(child)

    def _condition(self, node: nodes.Node) -> None:
        """Check a condition. Whether there is a link may be tested, because it says nothing about the token."""
        if self._is_link(node):
            self._seen[node.lineno, getattr(node, "name", "")] += 1
            self.used.add(getattr(node, "name", ""))
        elif isinstance(node, nodes.And | nodes.Or | nodes.Not):
            for child in node.iter_child_nodes():
                self._condition(child)
        else:
            self.visit(node)

    def _type(self, name: str) -> str | None:
        return None if self._types is None or name in self._loop_items else self._types.get(name)

    def _for(self, node: nodes.For) -> None:
        target = node.target
        if node.recursive or node.test is not None:
            msg = "Write the loop as {% for item in list %} and put conditions inside it."
            self._expression(node, "for", msg)
        if len(self._loop_items) >= MAX_LOOPS:
            msg = f"Loops can be nested at most {MAX_LOOPS} levels deep. Simplify this."
            self._report(node, "too-deep", "for", msg)
        if not isinstance(target, nodes.Name):
            self._expression(node, "for", "A loop needs one name for its items: {% for item in list %}.")
            return
        self._iterable(node.iter)
        name = target.name
        self._seen[target.lineno, name] += 1
        taken = name in self._loop_items or name in self._links or (self._types is not None and name in self._types)
        if name == "loop" or name.startswith("_") or taken:
            msg = f'"{name[:60]}" is already in use. Choose another name for the items.'
            self._expression(target, name, msg)
        self._loop_items.append(name)
        for child in node.body:
            self.visit(child)
        self._loop_items.pop()
        for child in node.else_:
            self.visit(child)

    def _iterable(self, node: nodes.Node) -> None:
        if not isinstance(node, nodes.Name):
            msg = "A loop needs a variable that is declared as a list, without filters."
            self._expression(node, "in", msg)
            return
        self._name(node)
        if node.name in self._loop_items or self._type(node.name) not in {None, "list"}:
            msg = f'"{node.name[:60]}" is not a list. Declare it as a list to loop over it.'
            self._expression(node, node.name, msg)

    def _name(self, node: nodes.Name) -> None:
        name = node.name
        self._seen[node.lineno, name] += 1
        if name in self._loop_items:
            return
        if name == "loop":
            msg = f"Use a property of the loop, such as loop.index: {', '.join(sorted(LOOP_PROPERTIES))}."
            self._expression(node, name, msg)
        elif self._types is not None and name not in self._types:
            known = [*self._types, *self._loop_items]
            msg = f'There is no variable "{name[:60]}". Declare it or correct the name.{self._hint(name, known)}'
            self._report(node, "unknown-variable", name, msg)
        elif name in self._links:
            msg = (
                f'"{name[:60]}" is a link with a token. Print it as it is, without filters, comparisons or '
                "concatenation, or test it with {% if %}."
            )
            self._report(node, "link-variable", name, msg)
        self.used.add(name)

    def _const(self, node: nodes.Const) -> None:
        value = node.value
        if isinstance(value, str):
            if CONTROL.search(value) or SURROGATE.search(value) or (self._part == "subject" and "\n" in value):
                msg = "This string contains a control character. Remove it."
                self._report(node, "control-character", "", msg)
        elif type(value) in (int, float) and not abs(value) < MAX_NUMBER:
            self._expression(node, "", "This number is too large. Use a number below 1e15.")

    def _field(self, node: nodes.Getattr | nodes.Getitem) -> None:
        owner = node.node
        key = node.attr if isinstance(node, nodes.Getattr) else None
        if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            key = node.arg.value
        if not isinstance(owner, nodes.Name) or not isinstance(key, str) or key.startswith("_"):
            msg = 'Only the items of a loop have fields: item.field or item["field"].'
            self._expression(node, key if isinstance(key, str) else "[", msg)
        elif owner.name == "loop" and self._loop_items:
            self._seen[owner.lineno, "loop"] += 1
            if key not in LOOP_PROPERTIES:
                names = sorted(LOOP_PROPERTIES)
                msg = f'The loop has no property "{key[:60]}". Use one of {", ".join(names)}.{self._hint(key, names)}'
                self._expression(node, key, msg)
        else:
            self._name(owner)
            if owner.name not in {"loop", *self._loop_items} and (self._types is None or owner.name in self._types):
                msg = f'"{owner.name[:60]}" has no fields. Only the items of a loop have fields.'
                self._expression(node, owner.name, msg)

    def _filter(self, node: nodes.Filter) -> None:
        if node.node is None or node.dyn_args is not None or node.dyn_kwargs is not None:
            msg = "Write the filter as {{ value | filter }}, without * and ** arguments."
            self._expression(node, node.name, msg)
            return
        if node.name not in FILTERS:
            names = sorted(FILTERS)
            hint = self._hint(node.name, names)
            msg = f'There is no filter "{node.name[:60]}".{hint} Available filters: {", ".join(names)}.'
            self._report(node, "forbidden-filter", node.name, msg)
        self._arguments(node)

    def _test(self, node: nodes.Test) -> None:
        if node.name not in TESTS or node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
            names = ", ".join(sorted(TESTS))
            msg = f'The test "{node.name[:60]}" is not available. Use one of these, without arguments: {names}.'
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
            self._expression(node, "if", 'Add an else to the inline if: {{ "a" if x else "b" }}.')
        self._children(node)
