"""Accounts for what was done to debtors: the register of incidents, and signed evidence of contacts."""
