/** What every function starts with: settings from the environment, wiring, deadlines. */
@NullMarked
package io.vaultdr.runtime;

import org.jspecify.annotations.NullMarked;
