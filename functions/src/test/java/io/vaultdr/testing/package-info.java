/** Real servers for tests and rehearsals, on loopback, and servers that misbehave. */
@NullMarked
package io.vaultdr.testing;

import org.jspecify.annotations.NullMarked;
