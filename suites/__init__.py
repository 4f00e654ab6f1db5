"""What is run: pytest modules over the specification. Nobody imports them."""
