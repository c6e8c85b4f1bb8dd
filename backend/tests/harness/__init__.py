"""The real surroundings of both services' tests: PostgreSQL, migrated, and the services as processes."""
