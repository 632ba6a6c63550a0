"""Hold one folder for each method."""
