package io.vaultdr.infra.stack;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.Config.Cluster;
import io.vaultdr.infra.config.Config.Network;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.PairSettingsMaker;
import io.vaultdr.infra.construct.Certificates;
import io.vaultdr.infra.construct.Networks;
import io.vaultdr.infra.construct.Pages;
import io.vaultdr.infra.construct.PairFunctions;
import io.vaultdr.infra.construct.VaultDrFunction;
import io.vaultdr.infra.construct.VaultDrFunction.Reach;
import io.vaultdr.infra.iam.ProbePolicy;
import io.vaultdr.model.Slots;

import software.amazon.awscdk.App;
import software.constructs.Construct;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/** A region that probes every pair: one function, and what it is told of each. */
public final class VantageStack extends VaultDrStack {
    public VantageStack(App app, String name, Config config, String region, Path zip) {
        super(app, name, config, region, "Probes of every pair from " + region, false);
        String path = "/" + config.prefix() + "/vantage";
        Pages pages =
                Pages.create(
                        this,
                        config.prefix() + "-vantage-pages",
                        config.probedPairs().stream()
                                .flatMap(pair -> pair.pages().stream())
                                .distinct()
                                .toList());
        for (Pair pair : config.probedPairs()) {
            Construct settings = new Construct(this, "Pair-" + pair.id());
            Certificates.parameter(
                    settings,
                    "Settings",
                    path + "/" + pair.id() + "/settings",
                    PairFunctions.json(PairSettingsMaker.settings(config, pair, pages.arn())));
            Certificates.create(settings, path + "/" + pair.id() + "/ca", pair);
        }
        Network network = Objects.requireNonNull(config.vantages().get(region));
        Networks networks = new Networks(this);
        List<Cluster> clusters =
                config.probedPairs().stream()
                        .flatMap(pair -> Stream.of(pair.home(), pair.drCluster()))
                        .toList();
        String function = config.prefix() + "-probe";
        new VaultDrFunction(
                        this,
                        "Probe",
                        new VaultDrFunction.Props(
                                function,
                                "ProbeHandler",
                                "Probes every pair in each slot",
                                zip,
                                512,
                                512,
                                // Goes on until the next one has claimed a slot.
                                Duration.ofMinutes(2),
                                Map.of(
                                        "SETTINGS_PATH",
                                        path,
                                        "SLOT",
                                        Slots.DEFAULT_LENGTH.toString()),
                                new ProbePolicy(config, region, path),
                                Optional.of(
                                        new Reach(
                                                networks.vpc(network),
                                                networks.subnets(network),
                                                Reach.ports(clusters))),
                                pages,
                                pages.undelivered(this, config.prefix() + "-vantage-undelivered"),
                                List.of("live"),
                                Optional.empty()))
                .schedule(VaultDrFunction.EVERY_MINUTE, Duration.ofMinutes(1));
    }
}
