"""Tests of the whole screen of tail, without a terminal."""
