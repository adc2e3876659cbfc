/** What a customer's cluster needs before the functions can log in to it. */
@NullMarked
package io.vaultdr.infra.setup;

import org.jspecify.annotations.NullMarked;
