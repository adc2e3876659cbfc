package io.vaultdr.failover;

import io.vaultdr.model.PairId;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.PairSettings.Cluster;
import io.vaultdr.runtime.PairSettings.Edition;
import io.vaultdr.runtime.PairSettings.Failover;
import io.vaultdr.runtime.PairSettings.Stage;
import io.vaultdr.runtime.PairSettings.Vantage;
import io.vaultdr.runtime.PairSettings.Vantage.Role;
import io.vaultdr.testing.Moto;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The pair {@code payments} with vantages at home, in DR and with a witness. */
public final class TestPair {
    public static final String HOME = "eu-west-1";
    public static final String DR = "eu-central-1";
    public static final String WITNESS = "eu-north-1";

    private TestPair() {}

    /** The pair on that stage. */
    public static PairSettings at(Stage stage) {
        return new PairSettings(
                new PairId("payments"),
                Edition.OPENBAO,
                stage,
                "123456789012",
                cluster(HOME, "home"),
                Optional.of(cluster(DR, "dr")),
                List.of(
                        new PairSettings.Bucket(HOME, "home-snapshots", Moto.ACCOUNT),
                        new PairSettings.Bucket(DR, "dr-snapshots", Moto.ACCOUNT)),
                List.of(
                        new Vantage(HOME, Role.HOME),
                        new Vantage(DR, Role.DR),
                        new Vantage(WITNESS, Role.WITNESS)),
                Optional.of(
                        new Failover(
                                "vault-dr-payments-ledger",
                                "arn:aws:states:eu-central-1:123456789012:stateMachine:vault-dr-payments-failover",
                                "restart",
                                "wipe",
                                "stop",
                                "openbao",
                                Duration.ofMinutes(30),
                                Duration.ofHours(1),
                                Duration.ofMinutes(30),
                                Duration.ofMinutes(15),
                                Duration.ofHours(6),
                                Optional.empty(),
                                Failover.Prefer.PROVEN,
                                Failover.Strategy.WARM_STANDBY)),
                Optional.empty(),
                Duration.ofSeconds(10),
                Duration.ofMinutes(5),
                "arn:aws:sns:eu-central-1:123456789012:vault-dr-payments-pages");
    }

    private static Cluster cluster(String region, String side) {
        URI node = URI.create("https://" + side + "-1.vault.test:8200");
        return new Cluster(
                region,
                node,
                List.of(node),
                Optional.empty(),
                "payments-vault-dr",
                Optional.of("vault-" + side),
                Optional.empty(),
                3,
                Optional.empty(),
                Optional.empty());
    }
}
