package io.vaultdr.infra.stack;

import io.vaultdr.infra.config.Config;

import software.amazon.awscdk.App;
import software.amazon.awscdk.DefaultStackSynthesizer;
import software.amazon.awscdk.Environment;
import software.amazon.awscdk.PermissionsBoundary;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.StackProps;
import software.amazon.awscdk.Tags;

/** A stack in one region, with the tags and the boundary of the configuration. */
abstract class VaultDrStack extends Stack {
    VaultDrStack(
            App app, String name, Config config, String region, String description, boolean data) {
        this(app, name, config, config.account().orElseThrow(), region, description, data);
    }

    /**
     * @param account where it stands
     */
    VaultDrStack(
            App app,
            String name,
            Config config,
            String account,
            String region,
            String description,
            boolean data) {
        super(
                app,
                name,
                StackProps.builder()
                        .stackName(name)
                        .description(description)
                        .env(Environment.builder().account(account).region(region).build())
                        .permissionsBoundary(
                                config.boundary(account)
                                        .map(PermissionsBoundary::fromArn)
                                        .orElse(null))
                        // What holds data isn't deleted by a slip.
                        .terminationProtection(data)
                        .analyticsReporting(false)
                        .synthesizer(
                                DefaultStackSynthesizer.Builder.create()
                                        .generateBootstrapVersionRule(false)
                                        .build())
                        .build());
        config.tags().forEach((key, value) -> Tags.of(this).add(key, value));
        Tags.of(this).add("vault-dr", config.prefix());
    }
}
