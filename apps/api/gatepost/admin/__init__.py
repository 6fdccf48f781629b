"""Admin: what staff may do over the API and from a shell."""
