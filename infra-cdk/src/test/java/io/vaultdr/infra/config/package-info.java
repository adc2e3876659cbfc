/** Tests of the configuration. */
@NullMarked
package io.vaultdr.infra.config;

import org.jspecify.annotations.NullMarked;
