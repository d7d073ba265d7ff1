"""What people look at: CSV files and pages, drawn from the tables alone."""
