"""Published prices of models.

In: a model's name, tokens, a time. Out: USD, or None for a model without a price. Never asks a server.
"""
