"""Templates: written, checked, chosen, and filled in with what a debtor owes."""
