"""The steps from one revision of the tables to the next; there is no way back but a backup."""
