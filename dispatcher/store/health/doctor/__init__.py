"""Checks of ``dispatcher doctor``, each finding with its remedy. Changes nothing."""
