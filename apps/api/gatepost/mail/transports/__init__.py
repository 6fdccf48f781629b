"""The ways out of the house: each takes frozen messages and says what became of them."""
