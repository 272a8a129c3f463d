"""From what is owed to the words of a message."""
