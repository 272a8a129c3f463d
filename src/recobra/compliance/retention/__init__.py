"""How long data about people stay, what becomes of them then, and what people may ask about their own."""
