"""Reports on records, for people and for other programs."""
