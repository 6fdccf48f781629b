"""Mail: templates that people write, rendered where nothing they write can do harm."""
