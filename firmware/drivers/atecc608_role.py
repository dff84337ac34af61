"""The Setup role of enrolment, played by an ATECC608."""

from firmware.drivers import atecc608_setup, const

_UNLOCKED = const(0x55)
_LOCK_DATA_BYTE = const(86)
_LOCK_CONFIG_BYTE = const(87)


class Setup:
    """Setup of `chip` (an ATECC608, any slot): locks, configuration, the authority's key."""

    def __init__(self, chip):
        self.chip = chip

    def locked(self):
        """(configuration locked, data locked), as the chip says now."""
        zone = atecc608_setup.read_config(self.chip)
        return zone[_LOCK_CONFIG_BYTE] != _UNLOCKED, zone[_LOCK_DATA_BYTE] != _UNLOCKED

    def configure(self):
        """Configure, lock and make the keys, or go on where a power cut stopped it."""
        atecc608_setup.configure(self.chip)

    def authority_key(self):
        """64 B key of the authority, or None before enrolment."""
        return atecc608_setup.authority_key(self.chip)

    def set_authority_key(self, key):
        """Write the key for good; the same again is no error, another is a PartError."""
        atecc608_setup.set_authority_key(self.chip, key)
