"""What the service keeps: feedback and used tokens, in SQLite or PostgreSQL. Loaded only where something is kept."""
