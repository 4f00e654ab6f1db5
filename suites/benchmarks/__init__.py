"""What asv runs: the workloads, see `asv.conf.json`."""
