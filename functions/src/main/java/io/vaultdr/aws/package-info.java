/** Adapters to AWS, one class per service and port. */
@NullMarked
package io.vaultdr.aws;

import org.jspecify.annotations.NullMarked;
