/** What each function looks at in its dry run, one check each, from where it stands. */
@NullMarked
package io.vaultdr.doctor;

import org.jspecify.annotations.NullMarked;
