"""Sessions: which devices a person is signed in on."""
