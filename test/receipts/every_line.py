"""Says what a verifier thinks of each receipt of standard input, one a line.

    python3 every_line.py THUMBPRINT < FILE
"""
import sys

from verify_receipt import verdict

for line in sys.stdin.buffer:
    print(verdict(line, sys.argv[1]))
