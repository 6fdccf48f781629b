"""Webhooks: a signed POST to the product's own URL for every session that ends."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
