"""Load before go-live: Locust scenarios with a verdict."""
