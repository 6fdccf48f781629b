"""Sessions: the devices that users are signed in on, and the guard that checks them on every request."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
