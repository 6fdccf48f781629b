"""Gatepost: multi-device sessions and transactional email for FastAPI on Supabase or any PostgreSQL.

app.include_router(gatepost.create_router(), prefix="/account")

@app.get("/invoices")
async def invoices(session: gatepost.CurrentSession): ...
"""

import lazy_loader

# What `__init__.pyi` lists is imported when it is first used, here and in every package below. So the process that
# renders templates starts in a fraction of the time, and loads neither the framework nor any key.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
