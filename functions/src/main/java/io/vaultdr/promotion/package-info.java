/** Making the DR side able to serve: fence, promote, verify, grow. */
@NullMarked
package io.vaultdr.promotion;

import org.jspecify.annotations.NullMarked;
