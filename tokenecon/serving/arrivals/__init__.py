"""Arrivals at random at one instance: what it can serve, and how its latencies are distributed."""
