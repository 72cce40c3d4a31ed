"""Prints how many things a WebAssembly module imports (core specification 1.0, section 5.5)."""

import sys

data = open(sys.argv[1], "rb").read()
assert data[:8] == b"\0asm\x01\0\0\0", "not a WebAssembly module"
IMPORTS = 2


def leb128(at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


at = 8
imports = 0
while at < len(data):
    section = data[at]
    size, body = leb128(at + 1)
    if section == IMPORTS:
        imports, _ = leb128(body)
    at = body + size
print(imports)
