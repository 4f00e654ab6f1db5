"""What the answer has to be, computed without a backend: dtypes, promotion, error bounds."""
