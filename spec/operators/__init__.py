"""The operator table: one row an operation, and the laws that every row is held to."""
