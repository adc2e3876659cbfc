"""Starts moto's server.

Before each DynamoDB transaction moto copies every item of the tables it touches, in case it has to
put them back. With the evidence of a rehearsal in the table that takes some tenths of a second, in
which moto answers nobody, and a step makes several of them. A Put replaces an item and never
changes one, so the copy may share them.
"""

import sys

from moto.dynamodb.models.dynamo_type import Item
from moto.server import main

Item.__deepcopy__ = lambda item, memo: item

if __name__ == "__main__":
    sys.exit(main())
