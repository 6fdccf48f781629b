"""Email: templates, outbox, delivery, notifications, and the mailbox of captured emails."""
