# SPDX-License-Identifier: Apache-2.0
"""Turns a text file into a C array: embed.py INPUT OUTPUT SYMBOL."""
import sys

source, target, symbol = sys.argv[1:4]
with open(source, "rb") as f:
    data = f.read()
with open(target, "w", encoding="ascii") as f:
    f.write("/* SPDX-License-Identifier: Apache-2.0 */\n/* Generated; do not edit. */\n")
    f.write(f"extern const char {symbol}_bytes[];\nextern const unsigned long {symbol}_len;\n")
    f.write(f"const char {symbol}_bytes[] = {{\n")
    for start in range(0, len(data), 16):
        f.write("    " + ", ".join(f"0x{byte:02x}" for byte in data[start:start + 16]) + ",\n")
    f.write(f"    0x00,\n}};\nconst unsigned long {symbol}_len = {len(data)};\n")
