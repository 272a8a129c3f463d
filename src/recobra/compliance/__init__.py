"""What is put on paper: letters, print batches, evidence, and the installation's signature under it."""
