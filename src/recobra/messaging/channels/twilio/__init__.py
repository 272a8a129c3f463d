"""What SMS and voice of Twilio share: account, signature, codes, and the common part of their adapters."""
