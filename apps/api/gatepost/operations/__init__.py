"""Operations: what those who run the service ask it."""
