"""Provisioning: from the key ceremony to a kit that knows its key, its station and its election."""
