"""Properties that must hold for any input: generated values, damaged files, arbitrary commands.

The suite draws a few hundred examples of each property, always the same ones. To look further, set
how many times as many are drawn, at random::

    ICMASS_FUZZ=20 pytest tests/properties

An example that fails is printed by hypothesis; it belongs into the test as an ``@example``.
"""
