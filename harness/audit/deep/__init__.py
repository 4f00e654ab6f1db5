"""Subtle faults, a module for each category: of one dtype, one length, one rank, one layout."""
