/** The stacks: each region deploys alone, and finds the others by name only. */
@NullMarked
package io.vaultdr.infra.stack;

import org.jspecify.annotations.NullMarked;
