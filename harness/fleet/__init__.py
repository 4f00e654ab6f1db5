"""A run that is spread over a Ray cluster."""
