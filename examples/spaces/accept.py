#!/usr/bin/env python3
"""Turns the breaks of a check into acceptances that expire in a week:

    modnet check A --against B --json | accept.py REASON OWNER >modnet-accept.toml
"""
import datetime
import json
import sys


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    reason, owner = (json.dumps(word, ensure_ascii=False) for word in sys.argv[1:])
    expires = datetime.date.today() + datetime.timedelta(days=7)
    for check in json.load(sys.stdin)["checks"]:
        for finding in check["findings"]:
            if finding["severity"] in ("deny", "undecidable"):
                print(f'[[accept]]\nkey = "{finding["key"]}"  # {finding["rule"]}')
                print(f"reason = {reason}\nowner = {owner}\nexpires = \"{expires}\"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
