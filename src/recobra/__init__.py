"""The Recobra platform: a Django project around the pure decision core."""
