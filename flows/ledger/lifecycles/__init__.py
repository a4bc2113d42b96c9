"""What may become what: the states of a batch and of a recall case, in one form."""
