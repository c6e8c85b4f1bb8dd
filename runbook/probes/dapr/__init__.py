"""What passes between the sidecars, and what they refuse: asked on the wire, not of a configuration."""
