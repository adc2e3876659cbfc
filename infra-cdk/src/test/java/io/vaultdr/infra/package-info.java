/** Tests of the CDK app. */
@NullMarked
package io.vaultdr.infra;

import org.jspecify.annotations.NullMarked;
