/** The command line: what a person types, told in words and exit codes. */
@NullMarked
package io.vaultdr.cli;

import org.jspecify.annotations.NullMarked;
