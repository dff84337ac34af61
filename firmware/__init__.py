"""Saksi's firmware: what runs on the kit, on MicroPython (ESP32-S3) and CPython (Raspberry Pi)."""

VERSION = "saksi 0.1.0"
