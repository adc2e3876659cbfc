package io.vaultdr.infra.config;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;

import io.vaultdr.aws.S3FlagBucket;
import io.vaultdr.infra.config.Config.Cluster;
import io.vaultdr.infra.config.Config.Made;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Config.Servers;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.PairSettings.Edition;
import io.vaultdr.runtime.PairSettings.Flag;
import io.vaultdr.runtime.PairSettings.Tag;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What a node of a made cluster is told, as JSON in the SSM parameter that its tag {@link
 * Names#NODE_TAG} names. The boot script on the image reads it; it holds no secret.
 *
 * @param unit the systemd unit of the server
 * @param serverName the name in the servers' certificates
 * @param apiPort where clients and functions ask
 * @param clusterPort where nodes talk to each other
 * @param auditFile the audit device's file, the same on every node: a restored server dies on one
 *     that it can't open
 * @param tlsSecret holds {@code {"certificate":…,"private_key":…,"ca":…}}, PEM each
 * @param quarantine the objects that forbid the server to run when they are there
 * @param selfFence whether the server is stopped when no mark could be read for two thirds of the
 *     window
 * @param readTimeoutSeconds how long a request's body may take: a restore sends the whole snapshot
 * @param licenceSecret holds Vault Enterprise's licence
 * @param pages the topic of the node's own region
 */
@JsonInclude(JsonInclude.Include.NON_ABSENT)
public record NodeSettings(
        String pair,
        String side,
        String region,
        Edition edition,
        String unit,
        String serverName,
        int apiPort,
        int clusterPort,
        String dataDirectory,
        String auditFile,
        String tlsSecret,
        Seal seal,
        Join join,
        List<Mark> quarantine,
        boolean selfFence,
        long readTimeoutSeconds,
        Optional<String> licenceSecret,
        String pages) {

    /** Where nodes talk to each other. */
    public static final int CLUSTER_PORT = 8201;

    /** A snapshot comes at least this fast, in bytes a second, or its restore is given up. */
    private static final long SLOWEST = 10L << 20;

    private static final long SHORTEST = 300;

    /** What unseals the server. */
    @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
    @JsonSubTypes(@JsonSubTypes.Type(value = Seal.AwsKms.class, name = "awskms"))
    public sealed interface Seal {
        /**
         * A KMS key.
         *
         * @param key its alias or ARN
         * @param plugin the program that asks KMS, where the server can't by itself
         */
        record AwsKms(String region, String key, Optional<Plugin> plugin) implements Seal {}
    }

    /** A program on the image. */
    public record Plugin(String path, String sha256) {}

    /** Where an image holds the seal's plugin. */
    public static final String PLUGIN = "/opt/vault-dr/plugins/seal";

    /** How a node finds the others: by their instances' tag. */
    public record Join(String tagKey, String tagValue) {}

    /** Where a quarantine mark may lie. */
    public record Mark(String region, String bucket, String key) {}

    /** What the nodes of {@code side} are told. */
    public static NodeSettings of(Config config, Pair pair, Side side) {
        Names names = PairSettingsMaker.names(config, pair);
        Cluster cluster = pair.cluster(side);
        Made made = cluster.made().orElseThrow();
        Servers servers = pair.servers().orElseThrow();
        Tag tag = Names.instances(pair.id(), side);
        List<Mark> marks = side == Side.HOME ? marks(config, pair) : List.of();
        return new NodeSettings(
                pair.id().value(),
                side.name().toLowerCase(Locale.ROOT),
                cluster.region(),
                pair.edition(),
                pair.service().unit(),
                cluster.serverName().orElseThrow(),
                cluster.address().getPort(),
                CLUSTER_PORT,
                pair.service().dataDirectory(),
                pair.auditFile(),
                made.tls(),
                new Seal.AwsKms(
                        cluster.region(),
                        sealKey(names, servers, cluster.region()),
                        made.server()
                                .sealPlugin()
                                .map(plugin -> new Plugin(PLUGIN, plugin.sha256()))),
                new Join(tag.key(), tag.value()),
                marks,
                servers.selfFence() && !marks.isEmpty(),
                Math.max(SHORTEST, pair.snapshots().largest() / SLOWEST),
                servers.licence(),
                names.pagesArn(cluster.region()));
    }

    /** What the nodes of a drill's own cluster are told: all that DR's are, but whom to join. */
    public static NodeSettings ofDrill(Config config, Pair pair) {
        NodeSettings dr = of(config, pair, Side.DR);
        Tag tag = Names.drillInstances(pair.id());
        return new NodeSettings(
                dr.pair,
                dr.side,
                dr.region,
                dr.edition,
                dr.unit,
                dr.serverName,
                dr.apiPort,
                dr.clusterPort,
                dr.dataDirectory,
                dr.auditFile,
                dr.tlsSecret,
                dr.seal,
                new Join(tag.key(), tag.value()),
                List.of(),
                false,
                dr.readTimeoutSeconds,
                dr.licenceSecret,
                dr.pages);
    }

    /** The seal's key in {@code region}: by its alias, or the replica of the given one. */
    public static String sealKey(Names names, Servers servers, String region) {
        return servers.sealKey()
                .map(arn -> arn.replaceFirst(":kms:[a-z0-9-]+:", ":kms:" + region + ":"))
                .orElseGet(names::sealKeyAlias);
    }

    /** Fence puts them beside the traffic flags; they are home's. */
    private static List<Mark> marks(Config config, Pair pair) {
        return PairSettingsMaker.settings(config, pair, "").traffic().stream()
                .flatMap(traffic -> traffic.flags().stream())
                .filter(Flag.InBucket.class::isInstance)
                .map(Flag.InBucket.class::cast)
                .map(flag -> new Mark(flag.region(), flag.bucket(), S3FlagBucket.MARK_KEY))
                .toList();
    }
}
