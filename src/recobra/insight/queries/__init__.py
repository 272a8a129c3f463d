"""Reads for boards and lists, across all apps and always within the user's scope."""
