"""From hydro gas to photon events, images, spectra and numbers."""
