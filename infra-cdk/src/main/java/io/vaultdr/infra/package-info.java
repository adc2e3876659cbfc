/** The CDK app: from one YAML file to templates. */
@NullMarked
package io.vaultdr.infra;

import org.jspecify.annotations.NullMarked;
