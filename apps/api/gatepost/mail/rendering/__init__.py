"""Templates that people wrote: checked, compiled and rendered where they can hurt nobody."""
