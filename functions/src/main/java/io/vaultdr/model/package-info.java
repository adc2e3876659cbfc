/** Words that all capabilities share: pair, side, epoch, slot, incident, failure. */
@NullMarked
package io.vaultdr.model;

import org.jspecify.annotations.NullMarked;
