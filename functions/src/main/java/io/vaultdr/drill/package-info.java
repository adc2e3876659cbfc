/** Drills: take, prove, dry run of every step, timed against the goals, with a signed report. */
@NullMarked
package io.vaultdr.drill;

import org.jspecify.annotations.NullMarked;
