package io.vaultdr.infra.config;

import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.model.Side;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A function that the stacks of a pair deploy.
 *
 * @param purpose what its name ends with
 * @param account that it stands in; empty: home's
 * @param alias by which it may be called without changing anything
 */
public record DeployedFunction(
        String purpose, String name, String region, Optional<String> account, String alias) {
    /** The functions of a failover's steps, in their order. */
    public static final List<String> STEPS =
            List.of(
                    "judge",
                    "ask-approval",
                    "fence",
                    "promote",
                    "verify",
                    "redirect-traffic",
                    "grow",
                    "close-incident");

    /** What probes all pairs. */
    public static final String PROBE = "probe";

    /** Every function of {@code pair}, and what probes it; home's region first. */
    public static List<DeployedFunction> of(Config config, Pair pair) {
        List<DeployedFunction> all = new ArrayList<>();
        String copy = pair.copyAccount().isPresent() ? pair.proofRegion() : "";
        for (String region : pair.backupRegions()) {
            List<String> purposes = new ArrayList<>();
            boolean cluster = region.equals(pair.home().region()) || pair.probed();
            if (cluster) {
                purposes.addAll(List.of("take-snapshot", "rotate-logins"));
            }
            if (cluster && !region.equals(copy)) {
                purposes.add("retention");
            }
            if (!region.equals(copy)) {
                purposes.add("freshness-check");
            }
            if (pair.madeIn(region).isPresent()) {
                purposes.add("retire-peer");
            }
            if (pair.madeIn(region).equals(Optional.of(Side.HOME))) {
                purposes.add("initialize-cluster");
            }
            purposes.forEach(it -> all.add(of(config, pair, it, region, Optional.empty())));
        }
        List<String> there = new ArrayList<>();
        if (pair.copyAccount().isPresent()) {
            there.addAll(List.of("retention", "freshness-check"));
        }
        pair.proving()
                .ifPresent(
                        prove -> {
                            there.add("prove-snapshot");
                            if (!prove.recover().isEmpty()) {
                                there.add("restore-secret");
                            }
                        });
        there.forEach(it -> all.add(of(config, pair, it, pair.proofRegion(), pair.copyAccount())));
        if (pair.proving().isPresent()) {
            all.add(of(config, pair, "drill", pair.drillRegion(), Optional.empty()));
        }
        if (pair.bootsDrills()) {
            all.add(of(config, pair, "drill-cluster", pair.drillRegion(), Optional.empty()));
        }
        if (pair.probed()) {
            String region = pair.drCluster().region();
            Stream.concat(Stream.of("evaluate-failover", "control"), STEPS.stream())
                    .forEach(it -> all.add(of(config, pair, it, region, Optional.empty())));
            config.vantages()
                    .keySet()
                    .forEach(
                            vantage ->
                                    all.add(
                                            new DeployedFunction(
                                                    PROBE,
                                                    config.prefix() + "-" + PROBE,
                                                    vantage,
                                                    Optional.empty(),
                                                    "live")));
        }
        return List.copyOf(all);
    }

    private static DeployedFunction of(
            Config config, Pair pair, String purpose, String region, Optional<String> account) {
        return new DeployedFunction(
                purpose,
                config.prefix() + "-" + pair.id() + "-" + purpose,
                region,
                account,
                purpose.equals("control") ? "read" : "live");
    }
}
