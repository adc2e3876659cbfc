/** Who may do what: a class per intent, to exactly the calls it makes. */
@NullMarked
package io.vaultdr.infra.iam;

import org.jspecify.annotations.NullMarked;
