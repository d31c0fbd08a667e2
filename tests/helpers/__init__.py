"""What several test folders share; import it as ``from tests.helpers.stats import ...``."""
