"""Starts moto's server, as what AWS promises and moto alone doesn't keep.

Conditional writes of S3: moto looks whether the object is there and then writes, and another thread
may write in between. Two claims of one thing then both succeed. One at a time here.

DynamoDB's transactions: before each, moto copies every item of the tables it touches, in case it has
to put them back. With the evidence of a rehearsal in the table that takes some tenths of a second, in
which moto answers nobody, and a step makes several of them. A Put replaces an item and never changes
one, so the copy may share them.

KMS signs a digest (MessageType DIGEST) as it is; moto hashes it once more, so that no signature
fits what was signed. Nothing here signs anything but SHA-256 digests.
"""

import sys
import threading

import moto.server
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from moto.dynamodb.models.dynamo_type import Item
from moto.kms.utils import ECDSAPrivateKey

Item.__deepcopy__ = lambda item, memo: item
ECDSAPrivateKey.sign = lambda key, digest, algorithm: key.private_key.sign(
    digest, ec.ECDSA(utils.Prehashed(SHA256()))
)


class Application(moto.server.DomainDispatcherApplication):
    one_at_a_time = threading.Lock()

    def __call__(self, environ, start_response):
        # No others: whoever holds a lock still shares the interpreter with all that want none.
        if environ["REQUEST_METHOD"] == "GET" or "HTTP_IF_NONE_MATCH" not in environ:
            return super().__call__(environ, start_response)
        with self.one_at_a_time:
            return super().__call__(environ, start_response)


moto.server.DomainDispatcherApplication = Application

if __name__ == "__main__":
    sys.exit(moto.server.main())
