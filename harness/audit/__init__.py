"""The suite, examined: faulty backends, and which clause finds each of them out."""
