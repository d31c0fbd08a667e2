"""What was found, as one page, figures and tables."""
