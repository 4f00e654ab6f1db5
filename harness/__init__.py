"""How a backend is judged: clauses run against it, verdicts come out, records keep them."""
