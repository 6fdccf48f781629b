"""The mailbox: captured mail, as it would have gone out."""
