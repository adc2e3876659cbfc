/** Running steps once under an epoch, approval, closing an incident. */
@NullMarked
package io.vaultdr.workflow;

import org.jspecify.annotations.NullMarked;
