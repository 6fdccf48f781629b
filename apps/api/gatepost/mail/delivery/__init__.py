"""Delivery: a worker renders queued emails in batches and hands them to a transport."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
