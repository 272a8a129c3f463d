"""What SMS and voice of Twilio share: account, signature, codes. No adapter of its own."""
