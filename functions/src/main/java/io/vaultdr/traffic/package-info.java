/** Turning clients: the traffic flag and the weighted records. */
@NullMarked
package io.vaultdr.traffic;

import org.jspecify.annotations.NullMarked;
