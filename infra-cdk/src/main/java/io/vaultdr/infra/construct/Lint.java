package io.vaultdr.infra.construct;

import software.amazon.awscdk.Acknowledgment;
import software.amazon.awscdk.CfnResource;
import software.amazon.awscdk.Validations;

import java.util.List;
import java.util.Map;

/** Tells linters at a resource what is meant as it stands. */
final class Lint {
    private Lint() {}

    /** Lets {@code rule} pass at {@code resource}, with cfn-lint and with CDK's own validation. */
    static void accept(CfnResource resource, String rule, String reason) {
        resource.addMetadata("cfn-lint", Map.of("config", Map.of("ignore_checks", List.of(rule))));
        Validations.of(resource)
                .acknowledge(
                        Acknowledgment.builder()
                                .id("CloudFormation-Validate::" + rule)
                                .reason(reason)
                                .build());
    }
}
