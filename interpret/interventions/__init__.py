"""Cause, not gradient: data are changed and networks asked again."""
