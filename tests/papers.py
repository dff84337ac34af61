"""The codes on a printed paper."""

import zxingcpp


def qr_codes(picture) -> list[zxingcpp.Barcode]:
    """All QR codes on `picture` (PIL or array): QR only, as the verifier reads.

    Told to find every kind of bar code, a reader now and then takes lines of text for one.
    """
    return zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
