"""The shipped agreements and court orders."""
