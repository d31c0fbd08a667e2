"""One scene observed: a row of the catalog with its images, galaxies and truth."""
