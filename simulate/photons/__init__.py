"""From emitters to detected photons: expectations and exact Poisson draws."""
