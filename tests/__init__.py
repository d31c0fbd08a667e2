"""Tests of ICMass: one folder per package folder, plus what needs the whole."""
