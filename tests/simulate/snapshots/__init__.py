"""Tests of scenes made from snapshots."""
