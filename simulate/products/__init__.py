"""What an observation gives its user: images, spectra, profiles, numbers, and their files."""
