@NullMarked
package io.vaultdr.rehearsal.world;

import org.jspecify.annotations.NullMarked;
