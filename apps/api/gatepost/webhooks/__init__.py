"""Webhooks: a product's own URL is told, by a signed POST, of every session that ends."""
