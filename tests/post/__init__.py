"""The post put to the test: real workers on a real database, against a provider that misbehaves."""
