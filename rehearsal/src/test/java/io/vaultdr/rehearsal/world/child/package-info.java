@NullMarked
package io.vaultdr.rehearsal.world.child;

import org.jspecify.annotations.NullMarked;
