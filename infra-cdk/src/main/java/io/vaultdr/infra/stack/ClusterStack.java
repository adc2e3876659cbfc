package io.vaultdr.infra.stack;

import io.vaultdr.cluster.VaultSetup;
import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.Config.Cluster;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Config.Prove;
import io.vaultdr.infra.config.Config.Servers;
import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.config.NodeSettings;
import io.vaultdr.infra.config.PairSettingsMaker;
import io.vaultdr.infra.construct.BreakGlass;
import io.vaultdr.infra.construct.Certificates;
import io.vaultdr.infra.construct.ClusterCare;
import io.vaultdr.infra.construct.ClusterSecrets;
import io.vaultdr.infra.construct.LoadBalancer;
import io.vaultdr.infra.construct.NodeSecurity;
import io.vaultdr.infra.construct.NodeSubnets;
import io.vaultdr.infra.construct.Pages;
import io.vaultdr.infra.construct.PairFunctions;
import io.vaultdr.infra.construct.SealKey;
import io.vaultdr.infra.construct.ServerDocument;
import io.vaultdr.infra.construct.ServerGroup;
import io.vaultdr.infra.iam.NodeWatchPolicy;
import io.vaultdr.infra.iam.SealKeyPolicy;
import io.vaultdr.infra.image.NodeRefresh;
import io.vaultdr.infra.watch.NodeAgent;
import io.vaultdr.infra.watch.NodeAlarms;
import io.vaultdr.infra.watch.WatchedCluster;
import io.vaultdr.model.Side;

import software.amazon.awscdk.App;
import software.amazon.awscdk.services.events.EventPattern;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A cluster that is made, in one region: network, balancer, servers, seal and secrets. In a region
 * of the pair without such a cluster it is what home's snapshots and its successor will need there:
 * the seal's replica and the places of recovery keys and logins. All that a failover mustn't have
 * to make stands from the first deployment on, whatever the strategy.
 *
 * <p>The topic that pages is the Backup stack's; the image is named by a parameter.
 */
public final class ClusterStack extends VaultDrStack {
    private final Pair pair;
    private final Names names;
    private final String region;
    private final Servers servers;

    public ClusterStack(App app, String name, Config config, Pair pair, String region, Path zip) {
        super(
                app,
                name,
                config,
                region,
                pair.madeIn(region).isPresent()
                        ? "Servers of " + pair.id() + " in " + region
                        : "What servers of " + pair.id() + " will need in " + region,
                true);
        this.pair = pair;
        this.names = PairSettingsMaker.names(config, pair);
        this.region = region;
        this.servers = pair.servers().orElseThrow();
        Pages pages = Pages.named(this, names.pagesArn(region));
        String breakGlass = BreakGlass.role(this, names, servers, region);
        boolean home = region.equals(pair.home().region());
        if (servers.sealKey().isEmpty()) {
            seal(config, breakGlass, home, pages);
        }
        if (pair.home().made().isPresent()) {
            secrets(config, breakGlass, home);
        }
        pair.madeIn(region)
                .ifPresent(
                        side -> {
                            servers(config, side, pages);
                            new ClusterCare(
                                    this,
                                    "Care",
                                    config,
                                    pair,
                                    side,
                                    new PairFunctions(
                                            config,
                                            pair,
                                            region,
                                            zip,
                                            pages,
                                            pages.undelivered(
                                                    this, names.of("undelivered-cluster"))),
                                    pages);
                        });
        if (home) {
            // In DR it is the Failover stack's.
            ServerDocument.wipe(
                    this, names.of("wipe"), pair.service().unit(), pair.service().dataDirectory());
        }
    }

    private void seal(Config config, String breakGlass, boolean home, Pages pages) {
        SealKeyPolicy policy = new SealKeyPolicy(names.account(), unsealers(config), breakGlass);
        SealKey key =
                home
                        ? SealKey.primary(this, names, policy)
                        : SealKey.replica(this, names, policy, pair.home().region());
        if (pair.backupRegions().contains(region)) {
            pages.onCall(
                    this,
                    "SealTouched",
                    names.of("seal-key-touched"),
                    EventPattern.builder()
                            .source(List.of("aws.kms"))
                            .detailType(List.of("AWS API Call via CloudTrail"))
                            .detail(
                                    new TreeMap<>(
                                            Map.of(
                                                    "eventName",
                                                    List.of(
                                                            "DisableKey",
                                                            "PutKeyPolicy",
                                                            "ScheduleKeyDeletion"),
                                                    "resources",
                                                    Map.of("ARN", List.of(key.arn())))))
                            .build(),
                    "Somebody touches the key that opens every snapshot of " + pair.id(),
                    "seal-key-touched");
        }
    }

    /** Who opens what the key sealed, by account: this region's nodes and provers. */
    private Map<String, List<String>> unsealers(Config config) {
        Map<String, List<String>> unsealers = new TreeMap<>();
        if (pair.madeIn(region).isPresent()) {
            unsealers
                    .computeIfAbsent(names.account(), key -> new ArrayList<>())
                    .add(names.nodeRoleArn(region));
        }
        if (pair.bootsDrills() && pair.drillRegion().equals(region)) {
            unsealers
                    .computeIfAbsent(names.account(), key -> new ArrayList<>())
                    .add(names.drillNodeRoleArn(region));
        }
        Optional<Prove> prove = pair.proving().filter(it -> pair.proofRegion().equals(region));
        if (prove.isPresent()) {
            Names there = PairSettingsMaker.names(config, pair.there());
            List<String> provers =
                    unsealers.computeIfAbsent(there.account(), key -> new ArrayList<>());
            provers.add(there.roleArn(region, "prove-snapshot"));
            if (!prove.get().recover().isEmpty()) {
                provers.add(there.roleArn(region, "restore-secret"));
            }
        }
        return unsealers;
    }

    private void secrets(Config config, String breakGlass, boolean home) {
        ClusterSecrets secrets = new ClusterSecrets(this, "Secrets");
        String initializer = names.roleArn(pair.home().region(), "initialize-cluster");
        secrets.recoveryKeys(names, initializer, breakGlass);
        if (home) {
            secrets.initialisation(names, initializer, breakGlass);
        }
        VaultSetup.places(PairSettingsMaker.settings(config, pair, names.pagesArn(region))).stream()
                .filter(place -> !place.copy() && place.region().equals(region))
                .forEach(
                        place ->
                                pair.logins()
                                        .forEach(
                                                intent ->
                                                        secrets.login(
                                                                place.login(), intent.toString())));
    }

    private void servers(Config config, Side side, Pages pages) {
        Cluster cluster = pair.cluster(side);
        String name = names.group(side);
        NodeSettings node = NodeSettings.of(config, pair, side);
        NodeSubnets subnets =
                new NodeSubnets(
                        this,
                        "Subnets",
                        name,
                        cluster.network().vpc(),
                        cluster.made().orElseThrow(),
                        cluster.address().getPort());
        NodeSecurity security = new NodeSecurity(this, "Security", name, cluster);
        LoadBalancer balancer =
                new LoadBalancer(this, "Clients", name, cluster, subnets, security.balancer());
        Certificates.parameter(this, "Node", names.nodeSettings(side), PairFunctions.json(node));
        WatchedCluster watched = WatchedCluster.of(names, pair, side);
        new NodeAgent(this, "Agent", watched);
        new ServerGroup(
                this,
                "Servers",
                names,
                pair,
                ServerGroup.Props.of(names, pair, side, node, subnets, balancer, security.nodes()),
                new NodeWatchPolicy(watched).allowances());
        new NodeAlarms(this, "Alarms", watched, pages, balancer.unhealthyTargets());
        new NodeRefresh(
                this,
                "Refresh",
                new NodeRefresh.Props(
                        names,
                        side,
                        region,
                        names.group(side),
                        names.image(),
                        servers.nodes(),
                        Optional.of(names.table())
                                .filter(table -> side == Side.DR && pair.probed()),
                        NodeAlarms.unwell(watched),
                        pages));
    }
}
