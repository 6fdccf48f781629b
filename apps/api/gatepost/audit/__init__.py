"""The audit log: sealed into a chain, verified, exported, and dropped when it is old."""
