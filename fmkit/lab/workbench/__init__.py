"""Small trainings that a chapter shows, kept out of its cells."""
