"""What a user gets: the wheel, its files, its imports."""
