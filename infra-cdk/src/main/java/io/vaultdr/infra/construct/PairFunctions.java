package io.vaultdr.infra.construct;

import com.fasterxml.jackson.core.JsonProcessingException;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.config.PairSettingsMaker;
import io.vaultdr.infra.construct.VaultDrFunction.Reach;
import io.vaultdr.infra.iam.Policy;
import io.vaultdr.runtime.Json;

import software.amazon.awscdk.services.sqs.IQueue;
import software.constructs.Construct;

import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Makes the functions of one pair in one stack: what they share is said once. */
public final class PairFunctions {
    private final Names names;
    private final Path zip;
    private final Pages pages;
    private final IQueue undelivered;
    private final Map<String, String> environment = new LinkedHashMap<>();

    public PairFunctions(
            Config config, Pair pair, String region, Path zip, Pages pages, IQueue undelivered) {
        this.names = PairSettingsMaker.names(config, pair);
        this.zip = zip;
        this.pages = pages;
        this.undelivered = undelivered;
        environment.put(
                "PAIR", json(PairSettingsMaker.settings(config, pair, names.pagesArn(region))));
        if (!pair.inCopyAccount()
                && (pair.home().ca().isPresent()
                        || pair.dr().flatMap(Config.Cluster::ca).isPresent())) {
            environment.put("CA_PATH", names.caPath());
        }
    }

    /**
     * Makes one function.
     *
     * @param purpose what its name ends with
     */
    public VaultDrFunction function(Construct scope, String handler, String purpose, Shape shape) {
        Map<String, String> all = new LinkedHashMap<>(environment);
        all.putAll(shape.settings());
        return new VaultDrFunction(
                scope,
                handler,
                new VaultDrFunction.Props(
                        names.of(purpose),
                        handler + "Handler",
                        shape.description(),
                        zip,
                        shape.memoryMiB(),
                        shape.scratchMiB(),
                        shape.timeout(),
                        all,
                        shape.policy(),
                        shape.reach(),
                        pages,
                        undelivered,
                        shape.aliases(),
                        shape.reserved()));
    }

    /** What one function has of its own. */
    public record Shape(
            String description,
            int memoryMiB,
            int scratchMiB,
            Duration timeout,
            Policy policy,
            Optional<Reach> reach,
            List<String> aliases,
            Map<String, String> settings,
            Optional<Integer> reserved) {

        /** A function that talks to AWS only. */
        public static Shape outside(String description, Duration timeout, Policy policy) {
            return new Shape(
                    description,
                    512,
                    512,
                    timeout,
                    policy,
                    Optional.empty(),
                    List.of("live"),
                    Map.of(),
                    Optional.empty());
        }

        /** A function that talks to servers. */
        public static Shape inside(
                String description, Duration timeout, Policy policy, Reach reach) {
            return new Shape(
                    description,
                    512,
                    512,
                    timeout,
                    policy,
                    Optional.of(reach),
                    List.of("live"),
                    Map.of(),
                    Optional.empty());
        }

        /** The same with other memory and scratch space. */
        public Shape sized(int memory, int scratch) {
            return new Shape(
                    description,
                    memory,
                    scratch,
                    timeout,
                    policy,
                    reach,
                    aliases,
                    settings,
                    reserved);
        }

        /** The same with other aliases. */
        public Shape called(List<String> others) {
            return new Shape(
                    description,
                    memoryMiB,
                    scratchMiB,
                    timeout,
                    policy,
                    reach,
                    others,
                    settings,
                    reserved);
        }

        /**
         * The same with both of Java's compilers. Lambda stops at the first, which starts sooner
         * and doesn't know the processor's instructions for SHA-256: archives are hashed for
         * seconds.
         *
         * @see <a href="https://docs.aws.amazon.com/lambda/latest/dg/java-customization.html">Java
         *     startup behaviour</a>
         */
        public Shape hashing(String... options) {
            Map<String, String> more = new TreeMap<>(settings);
            more.put(
                    "JAVA_TOOL_OPTIONS",
                    String.join(" ", "-XX:TieredStopAtLevel=4", String.join(" ", options)).strip());
            return new Shape(
                    description,
                    memoryMiB,
                    scratchMiB,
                    timeout,
                    policy,
                    reach,
                    aliases,
                    more,
                    reserved);
        }

        /** The same, one run at a time. */
        public Shape alone() {
            return new Shape(
                    description,
                    memoryMiB,
                    scratchMiB,
                    timeout,
                    policy,
                    reach,
                    aliases,
                    settings,
                    Optional.of(1));
        }

        /** The same, told more than the pair's settings. */
        public Shape told(String variable, Object record) {
            Map<String, String> more = new TreeMap<>(settings);
            more.put(variable, json(record));
            return new Shape(
                    description,
                    memoryMiB,
                    scratchMiB,
                    timeout,
                    policy,
                    reach,
                    aliases,
                    more,
                    reserved);
        }
    }

    /** The settings as functions read them. */
    public static String json(Object settings) {
        try {
            return Json.MAPPER.writeValueAsString(settings);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(settings + " as JSON", e);
        }
    }
}
