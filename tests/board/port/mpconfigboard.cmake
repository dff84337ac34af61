# A Raspberry Pi Pico with lwIP and PPP; its network is the modem on a UART.
set(PICO_BOARD "pico")
set(PICO_PLATFORM "rp2040")
set(MICROPY_PY_LWIP ON)
set(MICROPY_C_HEAP_SIZE 4096)
set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)
