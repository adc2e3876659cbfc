/** The configuration: read from YAML into one validated record, and what can be said from it. */
@NullMarked
package io.vaultdr.infra.config;

import org.jspecify.annotations.NullMarked;
