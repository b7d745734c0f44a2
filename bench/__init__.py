"""What the store and the limiter cost, beside a floor and beside others: ``python -m bench`` (see `bench.run`)."""
