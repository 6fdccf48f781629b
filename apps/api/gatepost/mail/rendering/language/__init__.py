"""The template language: a subset of Jinja, its variables, and rendering with bounds."""
