"""What the boards and lists show, read across all apps and always within the user's scope."""
