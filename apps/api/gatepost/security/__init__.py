"""Security: keys and tokens, passwords, cookies and origins, rate limits. Knows nothing about users or sessions."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
