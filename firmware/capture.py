"""One photograph from the camera to the card: streamed, hashed and looked at on the way.

There is no other way for a picture to be signed: what is stored here came out of the camera.
"""

import asyncio

from firmware.compat import const
from firmware.jpeg import JpegCheck
from firmware.photos import PhotoError

BAD_PHOTO = const(401)
_CHUNK = const(4096)


class Capture:
    """Takes photographs with a Camera role into `photos`; `look()` is called at every chunk."""

    def __init__(self, camera, photos, look):
        self.camera = camera
        self.photos = photos
        self.look = look
        self._buffer = bytearray(_CHUNK)
        self._view = memoryview(self._buffer)

    async def take(self):
        """(sha256 32 B, size, width, height) of a photograph now stored, or PhotoError."""
        check = JpegCheck()
        stream = await self.camera.capture()
        try:
            self.photos.begin(getattr(stream, "size", 0))
            while True:
                n = stream.readinto(self._buffer)
                if not n:
                    break
                chunk = self._view[:n]
                check.feed(chunk)
                self.photos.write(chunk)
                self.look()
                await asyncio.sleep(0)  # the relay and the keys go on meanwhile
            width, height = check.finish()
        except ValueError as error:
            self.photos.drop()
            raise PhotoError(BAD_PHOTO, str(error)) from None
        finally:
            stream.close()
        digest, size = self.photos.keep()
        return digest, size, width, height
