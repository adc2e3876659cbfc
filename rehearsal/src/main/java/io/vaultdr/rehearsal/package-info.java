/**
 * The rehearsal: real servers, real clients, scenarios with their expected ends, and the report.
 * The AWS side of it is {@code io.vaultdr.rehearsal.world}.
 */
@NullMarked
package io.vaultdr.rehearsal;

import org.jspecify.annotations.NullMarked;
