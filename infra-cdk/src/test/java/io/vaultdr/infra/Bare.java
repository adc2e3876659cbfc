package io.vaultdr.infra;

import com.fasterxml.jackson.databind.JsonNode;

import io.github.cdklabs.cdknag.AwsSolutionsChecks;

import software.amazon.awscdk.App;
import software.amazon.awscdk.AppProps;
import software.amazon.awscdk.Aspects;
import software.amazon.awscdk.DefaultStackSynthesizer;
import software.amazon.awscdk.Environment;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.StackProps;
import software.amazon.awscdk.assertions.Annotations;
import software.amazon.awscdk.assertions.Match;
import software.amazon.awscdk.assertions.Template;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/** A stack of nothing but what a test puts into it. */
public final class Bare {
    private Bare() {}

    /** The resources of such a stack, by their logical ids; nag must have nothing against them. */
    public static Map<String, JsonNode> resources(String region, Consumer<Stack> what) {
        try {
            Path directory = Files.createTempDirectory(Path.of("target"), "bare");
            App app =
                    new App(
                            AppProps.builder()
                                    .analyticsReporting(false)
                                    .outdir(directory.toString())
                                    .build());
            Stack stack =
                    new Stack(
                            app,
                            "bare",
                            StackProps.builder()
                                    .env(
                                            Environment.builder()
                                                    .account("111122223333")
                                                    .region(region)
                                                    .build())
                                    .synthesizer(
                                            DefaultStackSynthesizer.Builder.create()
                                                    .generateBootstrapVersionRule(false)
                                                    .build())
                                    .build());
            what.accept(stack);
            Aspects.of(app).add(AwsSolutionsChecks.Builder.create().verbose(true).build());
            JsonNode template = Synthesised.JSON.valueToTree(Template.fromStack(stack).toJSON());
            Annotations.fromStack(stack).hasNoError("*", Match.anyValue());
            Map<String, JsonNode> resources = new TreeMap<>();
            template.get("Resources")
                    .properties()
                    .forEach(entry -> resources.put(entry.getKey(), entry.getValue()));
            return resources;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
