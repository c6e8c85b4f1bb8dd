"""Checks of the chart as a package: lint, notes, dry run, upgrades, rollbacks."""
