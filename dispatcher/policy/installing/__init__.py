"""Rules of installing: reach, states, steps, forms, upgrades, looks."""
