/** Tests of what a node runs at boot. */
@NullMarked
package io.vaultdr.infra.node;

import org.jspecify.annotations.NullMarked;
