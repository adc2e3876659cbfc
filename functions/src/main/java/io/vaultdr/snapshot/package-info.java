/** Taking, checking, cataloguing and reading back snapshots. */
@NullMarked
package io.vaultdr.snapshot;

import org.jspecify.annotations.NullMarked;
