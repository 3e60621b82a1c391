"""Receiver for the webhook that Gong's automation rules fire for each processed call.

An announcement is a signal to read one call by ID; nothing is taken from its content. `signature.py`
authenticates a request, and `receiver.py` is the HTTP server. Announcements are stored by a function that the
caller passes in: `gong_assets/defs/webhook.py` keeps them in Dagster's storage.
"""
