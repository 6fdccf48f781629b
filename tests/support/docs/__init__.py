"""The pages of the documentation, and how their snippets are run."""
