/** Tests of io.vaultdr.infra.watch. */
@NullMarked
package io.vaultdr.infra.watch;

import org.jspecify.annotations.NullMarked;
