"""The bot: what a debtor wrote is understood, and what is answered is decided. Nothing here touches the database.

`understanding` reads a message, `dialogue` takes one step of the conversation, `answering` puts it in words,
`measuring` says how well it understands, `model` asks an optional language model to choose among the same intents.
"""
