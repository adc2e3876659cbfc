/** The cluster itself: what a Vault service has to hold of ours, and its logins. */
@NullMarked
package io.vaultdr.cluster;

import org.jspecify.annotations.NullMarked;
