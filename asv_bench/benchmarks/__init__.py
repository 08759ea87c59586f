"""Benchmarks for asv; what they run over comes from fastact's registry."""
