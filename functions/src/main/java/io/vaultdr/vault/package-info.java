/** Adapters to Vault and OpenBao over HTTP. */
@NullMarked
package io.vaultdr.vault;

import org.jspecify.annotations.NullMarked;
