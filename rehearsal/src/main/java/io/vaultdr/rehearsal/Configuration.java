package io.vaultdr.rehearsal;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.ConfigFile;
import io.vaultdr.infra.config.ConfigFile.Loaded;
import io.vaultdr.model.Side;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;

/** The file that a customer would write for the servers of this rehearsal. */
final class Configuration {
    static final String ACCOUNT = "123456789012";
    static final String HOME = "eu-west-1";
    static final String DR = "eu-central-1";
    static final String WITNESS = "eu-north-1";
    static final String PAIR = "payments";
    static final String PREFIX = "vault-dr";
    static final String LOGIN = "payments-vault-dr";
    static final String UNIT = "openbao";
    static final String DATA = "/opt/openbao/data";
    static final String GROUP = "payments-dr";

    /** The secret that holds the static seal's key. */
    static final String SEAL_KEY = LOGIN + "/static-seal";

    /** Where proofs find the server, in the DR region's bucket for it. */
    static final String SERVER = "servers/bao";

    static final String RECORD = "vault.example.com";
    static final int DR_VOTERS = 3;

    private Configuration() {}

    /**
     * Writes it into {@code directory} and reads it as {@code cdk} would.
     *
     * @param server the hash of the server's binary
     */
    static Config write(Path directory, Fleet fleet, String stage, String zone, String server)
            throws IOException {
        Files.copy(
                fleet.tls().ca(),
                directory.resolve("ca.pem"),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        String yaml =
                """
                account: "%s"
                vantages:
                  %s: { vpc: vpc-0aa11223344556677, subnets: [subnet-0aa11223344556677] }
                  %s: { vpc: vpc-0cc11223344556677, subnets: [subnet-0cc11223344556677] }
                  %s: { vpc: vpc-0dd11223344556677, subnets: [subnet-0dd11223344556677] }
                pairs:
                  %s:
                    stage: %s
                    home:
                %s
                      instances: { vault-dr: payments-home }
                    dr:
                %s
                      instances: { vault-dr: payments-dr }
                      autoScalingGroup: %s
                      voters: %d
                    service: { unit: %s, dataDirectory: %s }
                    snapshots:
                      every: 5m
                      largest: 256MiB
                      keep: { last: 3, monthly: 12 }
                      archive: { class: DEEP_ARCHIVE, after: 90d }
                    prove:
                      server: { key: %s, sha256: %s }
                      seal: { static: { key: %s, id: k1 } }
                      prefer: proven
                      recover: ["secret/*"]
                      network: { vpc: vpc-0cc11223344556677, subnets: [subnet-0cc11223344556677] }
                    traffic: { zone: %s, name: %s, ttl: 5, home: home.%s, dr: dr.%s }
                    timings: { acceptedLoss: 20m, snapshotMaxAge: 30m }
                    pages: [oncall@example.com]
                """
                        .formatted(
                                ACCOUNT,
                                HOME,
                                DR,
                                WITNESS,
                                PAIR,
                                stage,
                                cluster(fleet, Side.HOME, HOME, "a", Integer.MAX_VALUE),
                                cluster(fleet, Side.DR, DR, "c", DR_VOTERS),
                                GROUP,
                                DR_VOTERS,
                                UNIT,
                                DATA,
                                SERVER,
                                server,
                                SEAL_KEY,
                                zone,
                                RECORD,
                                Fleet.DOMAIN,
                                Fleet.DOMAIN);
        Path file = Files.writeString(directory.resolve("vault-dr.yaml"), yaml);
        return switch (ConfigFile.load(file)) {
            case Loaded.Good(Config config) -> config;
            case Loaded.Bad(var mistakes) ->
                    throw new IllegalStateException(
                            "the rehearsal's own configuration is wrong: " + mistakes);
        };
    }

    private static String cluster(Fleet fleet, Side side, String region, String net, int most) {
        var nodes = fleet.nodes(side).stream().limit(most).map(Fleet.Node::address).toList();
        return """
        region: %s
        address: %s
        nodes: [%s]
        ca: ca.pem
        login: { approle: %s }
        vpc: vpc-0%s11223344556677
        subnets: [subnet-0%s11223344556677]\
        """
                .formatted(
                        region,
                        nodes.getFirst(),
                        nodes.stream().map(Object::toString).collect(Collectors.joining(", ")),
                        LOGIN,
                        net + net,
                        net + net)
                .indent(6)
                .stripTrailing();
    }
}
