"""How many acknowledgements a second, beside what a bare echo gives: `python -m benchmarks`."""
