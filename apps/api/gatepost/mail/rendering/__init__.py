"""Email templates: checked and rendered in sandbox processes.

Three names do everything: `RenderPool` checks, prepares and renders templates, `check_values` turns the values of a
caller into the context of a rendering, and `TAGS` are the statements of the template language. The other names are the
types that these take, return and raise.

Each of these packages and modules imports only from those below it:

- `isolation`: the pool and its processes
- `pipeline`: the steps from an author's source to a rendered email
- `html`: layout, lint rules, CSS inlining and the plain-text version
- `language`: the allowed subset of Jinja, its variables and the hardened environment
- `types`: plain data for both ends of a pipe
"""

import lazy_loader

# Lazily, because a sandbox process imports this package too and must not load the pool and asyncio.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
