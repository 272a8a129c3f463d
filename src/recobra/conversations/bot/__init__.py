"""The bot: interprets what a debtor wrote and decides the answer. Nothing here touches the database.

`interpretation` reads a message, `dialogue` takes one turn of the conversation, `replies` renders it, `evaluation`
measures how well messages are understood, `model` asks an optional language model to choose among the same intents.
"""
