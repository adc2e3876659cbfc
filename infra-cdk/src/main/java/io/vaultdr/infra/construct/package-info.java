/** What stacks are made of, each with the choices that all of its kind share. */
@NullMarked
package io.vaultdr.infra.construct;

import org.jspecify.annotations.NullMarked;
