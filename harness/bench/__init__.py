"""How fast a backend is: one registry of workloads, clocks, and comparisons that can be trusted."""
