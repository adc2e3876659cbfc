/** What is watched of the nodes that the CDK app made: agent, metrics, alarms, dashboard. */
@NullMarked
package io.vaultdr.infra.watch;

import org.jspecify.annotations.NullMarked;
