"""Sandbox processes that check and render templates, and the pool that manages them."""
