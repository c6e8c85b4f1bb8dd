"""The machine that a run would work on, examined before anything is installed: `inv doctor`."""
