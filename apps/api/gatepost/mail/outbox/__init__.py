"""The outbox: what is to be sent, the workers that send it, and what became of it."""
