/** The image that nodes start from: what is on it, who makes it, and how it comes to the nodes. */
@NullMarked
package io.vaultdr.infra.image;

import org.jspecify.annotations.NullMarked;
