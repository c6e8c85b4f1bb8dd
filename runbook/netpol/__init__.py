"""Who may talk to whom: what the policies say, what a table by hand says, and what real connections say."""
