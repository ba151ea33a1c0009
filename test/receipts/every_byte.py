"""Says which changed bytes of a receipt a verifier does not notice: none.

    python3 every_byte.py THUMBPRINT FILE STRIDE
"""
import sys

from verify_receipt import verdict

thumbprint, name, stride = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open(name, "rb") as file:
    whole = file.read()
assert verdict(whole, thumbprint) == "holds"
unnoticed = []
for at in range(0, len(whole), stride):
    for bit in (0x01, 0x20):
        changed = bytearray(whole)
        changed[at] ^= bit
        if verdict(bytes(changed), thumbprint) == "holds":
            unnoticed.append(at)
print(len(range(0, len(whole), stride)) * 2, unnoticed)
