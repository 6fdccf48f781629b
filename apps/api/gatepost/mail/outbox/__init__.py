"""Outbox: queued emails, what became of each, and suppressed email addresses."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
