"""The words of the mails: files, drafts, versions, and what they look like."""
