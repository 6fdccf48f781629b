"""HTTP: problem responses, the route class, dependencies, pagination, the client's IP address, the web app's pages."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
