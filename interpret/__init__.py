"""What mass estimators look at, tested by numbers."""
