/**
 * The AWS side of a rehearsal: moto holds the state, {@link io.vaultdr.rehearsal.world.Gateway}
 * stands in front of it, functions run in JVMs of their own, and all of it is made from the
 * synthesised templates. {@link io.vaultdr.rehearsal.world.World} is the way in.
 */
@NullMarked
package io.vaultdr.rehearsal.world;

import org.jspecify.annotations.NullMarked;
