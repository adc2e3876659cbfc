/** Evidence, diagnosis, gate, verdict and the ledger of a pair. */
@NullMarked
package io.vaultdr.failover;

import org.jspecify.annotations.NullMarked;
