"""Which pixels a prediction hangs on: attributions by Captum, in physical units."""
