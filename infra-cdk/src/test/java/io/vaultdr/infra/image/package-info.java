/** Tests of io.vaultdr.infra.image. */
@NullMarked
package io.vaultdr.infra.image;

import org.jspecify.annotations.NullMarked;
