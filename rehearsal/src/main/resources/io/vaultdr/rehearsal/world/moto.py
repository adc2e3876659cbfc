"""Starts moto's server.

Before each DynamoDB transaction moto copies every item of the tables it touches, in case it has to
put them back. With the evidence of a rehearsal in the table that takes some tenths of a second, in
which moto answers nobody, and a step makes several of them. A Put replaces an item and never
changes one, so the copy may share them.

KMS signs a digest (MessageType DIGEST) as it is; moto hashes it once more, so that no signature
fits what was signed. Nothing here signs anything but SHA-256 digests.
"""

import sys

from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from moto.dynamodb.models.dynamo_type import Item
from moto.kms.utils import ECDSAPrivateKey
from moto.server import main

Item.__deepcopy__ = lambda item, memo: item
ECDSAPrivateKey.sign = lambda key, digest, algorithm: key.private_key.sign(
    digest, ec.ECDSA(utils.Prehashed(SHA256()))
)

if __name__ == "__main__":
    sys.exit(main())
