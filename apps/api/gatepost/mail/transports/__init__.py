"""Transports: each sends batches of frozen messages and reports the outcome.

`create_transports` returns the configured ones. `build_mime` is how SMTP writes a message, which the mailbox shows too.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
