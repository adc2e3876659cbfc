package io.vaultdr.rehearsal;

import static io.vaultdr.rehearsal.Configuration.ACCOUNT;
import static io.vaultdr.rehearsal.Configuration.DR;
import static io.vaultdr.rehearsal.Configuration.HOME;
import static io.vaultdr.rehearsal.Configuration.LOGIN;
import static io.vaultdr.rehearsal.Configuration.PAIR;
import static io.vaultdr.rehearsal.Configuration.RECORD;
import static io.vaultdr.rehearsal.Configuration.UNIT;
import static io.vaultdr.rehearsal.Configuration.WITNESS;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.ConfigFile;
import io.vaultdr.infra.config.ConfigFile.Loaded;
import io.vaultdr.infra.config.Names;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Side;
import io.vaultdr.testing.TestTls;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * The file that a customer would write who lets both clusters be made; but for the static key that
 * proofs are told, since one seals here.
 */
final class ClusterConfiguration {
    /** The servers' name in their certificates. */
    static final String SERVER_NAME = "server." + RECORD;

    static final int PORT = 8_200;
    static final int NODES = 5;
    static final int FAULT_TOLERANCE = 2;

    /** The secret that holds the servers' certificate, in both regions. */
    static final String TLS = PAIR + "/vault-tls";

    /**
     * What whoever deploys gives for the templates' parameters: the seal's key, whose replica the
     * DR region's stack makes. Nothing is encrypted with it here: the static key that stands in for
     * it seals the servers, and opens snapshots where they are proven.
     */
    static final Map<String, String> PARAMETERS =
            Map.of(
                    "SealKey",
                    "arn:aws:kms:%s:%s:key/mrk-%s".formatted(HOME, ACCOUNT, "0a1b2c3d".repeat(4)));

    private ClusterConfiguration() {}

    /** A side's Auto Scaling group. */
    static String group(Side side) {
        return Names.group(Configuration.PREFIX, new PairId(PAIR), side);
    }

    /** The name by which clients and functions reach a side. */
    static String host(Side side) {
        return "vault-" + side + ".example.com";
    }

    /**
     * Writes it into {@code directory} and reads it as {@code cdk} would.
     *
     * @param zone the hosted zone of all names
     * @param server the hash of the server's binary, by which proofs know it
     */
    static Config write(Path directory, TestTls tls, String zone, String server)
            throws IOException {
        Files.writeString(directory.resolve("ca.pem"), tls.caPem());
        String yaml =
                """
                account: "%s"
                vantages:
                  %s: { vpc: vpc-0aa11223344556677, subnets: [subnet-0aa11223344556677] }
                  %s: { vpc: vpc-0cc11223344556677, subnets: [subnet-0cc11223344556677] }
                  %s: { vpc: vpc-0dd11223344556677, subnets: [subnet-0dd11223344556677] }
                pairs:
                  %s:
                    stage: automatic
                    strategy: warm-standby
                    cluster:
                      nodes: %d
                      instanceType: m7g.large
                      volume: 50GiB
                      server:
                        version: "2.7.2"
                        key: servers/openbao
                        sha256: "%s"
                        sealPlugin: { key: servers/openbao-plugin-kms-aws, sha256: "%s" }
                    home:
                %s
                    dr:
                %s
                    service: { unit: %s }
                    snapshots: { every: 5m, largest: 256MiB }
                    prove:
                      server: { key: %s, sha256: "%s" }
                      seal: { static: { key: %s, id: k1 } }
                    traffic: { zone: %s, name: %s, ttl: 5, home: %s, dr: %s }
                    timings: { acceptedLoss: 20m, snapshotMaxAge: 30m }
                    pages: [oncall@example.com]
                """
                        .formatted(
                                ACCOUNT,
                                HOME,
                                DR,
                                WITNESS,
                                PAIR,
                                NODES,
                                "0f".repeat(32),
                                "1f".repeat(32),
                                cluster(Side.HOME, HOME, "a", zone, 1),
                                cluster(Side.DR, DR, "c", zone, 2),
                                UNIT,
                                Configuration.SERVER,
                                server,
                                Configuration.SEAL_KEY,
                                zone,
                                RECORD,
                                host(Side.HOME),
                                host(Side.DR));
        Path file = Files.writeString(directory.resolve("vault-dr.yaml"), yaml);
        return switch (ConfigFile.load(file)) {
            case Loaded.Good(Config config) -> config;
            case Loaded.Bad(var mistakes) ->
                    throw new IllegalStateException(
                            "the rehearsal's own configuration is wrong: " + mistakes);
        };
    }

    private static String cluster(Side side, String region, String net, String zone, int range) {
        return """
        region: %1$s
        address: https://%2$s:%3$d
        serverName: %4$s
        ca: ca.pem
        login: { approle: %5$s }
        vpc: vpc-0%6$s11223344556677
        subnets: [subnet-0%6$s11223344556677]
        cluster:
          zone: %7$s
          subnets: { %1$sa: 10.%8$d.10.0/27, %1$sb: 10.%8$d.10.32/27, %1$sc: 10.%8$d.10.64/27 }
          routeTable: rtb-0%6$s11223344556677
          clients: [10.0.0.0/8]
          tls: %9$s\
        """
                .formatted(
                        region, host(side), PORT, SERVER_NAME, LOGIN, net + net, zone, range, TLS)
                .indent(6)
                .stripTrailing();
    }
}
