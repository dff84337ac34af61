"""Every number that bounds what a stranger can ask of the collector, in one place."""

MAX_SUBMISSION = 64 * 1024  # bytes; the largest real one (eight pages, certificate) is under 3 kB
MAX_PHOTO = 32 * 1024 * 1024  # bytes; a page is 0.3-0.8 MB, a phone's worst about 12 MB
MAX_NUMBER = 2**63 - 1  # both SQLite and PostgreSQL keep whole numbers in 64 bits with a sign

# A line that has said nothing for this long is dead: the kit is already dialling again.
IDLE_SECONDS = 30.0
# Kits keep one connection for all their entries; a TLS handshake costs them more than the entry.
# A line on which no request begins, or half of one came, is closed after the same time.
KEEP_ALIVE_SECONDS = 75
# TLS asks for a goodbye in return; a line that was idle is not waited for any longer.
GOODBYE_SECONDS = 2.0

# Room that photographs must leave free, so that the few bytes of an entry always find a place.
RESERVE = 64 * 1024 * 1024  # bytes
RETRY_SECONDS = 60  # what a kit is told to wait when the disk is full or the database is busy
