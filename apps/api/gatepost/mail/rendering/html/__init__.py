"""The HTML of a template: lint rules, layout, CSS inlining and the plain-text version."""
