"""Benchmarks: ratios within one run, because absolute times say more about the machine than about the vault."""
