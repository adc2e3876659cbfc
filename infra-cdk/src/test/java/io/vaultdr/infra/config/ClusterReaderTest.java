package io.vaultdr.infra.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.cluster.VaultSetup;
import io.vaultdr.infra.Examples;
import io.vaultdr.infra.config.Config.Cluster;
import io.vaultdr.infra.config.Config.Made;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.ConfigFile.Loaded;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.PairSettings.Failover.Strategy;
import io.vaultdr.runtime.PairSettings.Tag;
import io.vaultdr.vault.Login.Intent;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

class ClusterReaderTest {
    @TempDir private Path directory;

    private static String example(String name) throws IOException {
        return Files.readString(Examples.DIRECTORY.resolve(name + ".yaml"));
    }

    private List<String> mistakes(String yaml) throws IOException {
        Path file = Files.writeString(directory.resolve("vault-dr.yaml"), yaml);
        return switch (ConfigFile.load(file)) {
            case Loaded.Good good -> List.of();
            case Loaded.Bad(List<Mistake> mistakes) ->
                    mistakes.stream().map(Mistake::toString).toList();
        };
    }

    @Test
    void fillsInWhatTheStackMakes() {
        Pair pair = Examples.load("cluster").pairs().getFirst();
        Cluster dr = pair.drCluster();
        assertEquals(Strategy.WARM_STANDBY, pair.strategy());
        assertEquals(List.of(URI.create("https://vault-dr.example.com:8200")), dr.nodes());
        assertEquals(Optional.of("vault-dr-payments-dr"), dr.autoScalingGroup());
        assertEquals(Optional.of(new Tag("vault-dr", "payments-dr")), dr.instances());
        assertEquals(5, dr.voters());
        assertEquals(Optional.of("vault.example.com"), dr.serverName());
        Made made = dr.made().orElseThrow();
        assertEquals("2.7.2", made.server().version().toString());
        assertEquals("rtb-0c200000000000000", made.routeTables().get("eu-central-1b"));
        assertEquals(1, made.reaches().size());
    }

    @Test
    void tellsFunctionsWhatWasMade() {
        Config config = Examples.load("cluster");
        PairSettings settings = PairSettingsMaker.settings(config, config.pairs().getFirst(), "");
        assertEquals(
                Optional.of(
                        new PairSettings.Made(
                                5,
                                "vault-dr-payments-launch",
                                "vault-dr-payments-terminate",
                                Duration.ofHours(2),
                                "vault-dr/payments/recovery-keys",
                                "vault-dr/payments/initialisation",
                                "vault-dr-payments-wipe",
                                "/var/log/openbao/audit.log")),
                settings.home().made());
        assertEquals(settings.home().made(), settings.dr().orElseThrow().made());
        Config brought = Examples.load("automatic");
        assertEquals(
                Optional.empty(),
                PairSettingsMaker.settings(brought, brought.pairs().getFirst(), "").home().made());
    }

    /** The peers of a made DR cluster are tended to by a login that home's snapshot brings. */
    @Test
    void makesTheLoginsOfADrClusterAtAHomeThatWasBrought() throws IOException {
        String brought =
                example("pilot-light")
                        .replaceFirst(
                                "(?s)      cluster:\n        zone: .*?(?=    dr:)",
                                "      instances: { vault-dr: orders-home }\n");
        Path file = Files.writeString(directory.resolve("vault-dr.yaml"), brought);
        if (!(ConfigFile.load(file) instanceof Loaded.Good(Config config))) {
            throw new AssertionError(mistakes(brought).toString());
        }
        PairSettings settings = PairSettingsMaker.settings(config, config.pairs().getFirst(), "");
        assertEquals(Optional.empty(), settings.home().made());
        assertTrue(VaultSetup.intents(settings).contains(Intent.RETIRE));
    }

    @ParameterizedTest
    @CsvSource({
        "4, a quorum of 4 is 3",
        "6, a quorum of 6 is 4",
        "1, a single node",
        "9, each more"
    })
    void refusesCountsThatHelpNobody(int nodes, String why) throws IOException {
        List<String> all = mistakes(example("cluster").replace("nodes: 5", "nodes: " + nodes));
        assertEquals(1, all.size(), all.toString());
        assertTrue(all.getFirst().contains("3, 5 or 7: " + why), all.toString());
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 7})
    void takesThreeAndSeven(int nodes) throws IOException {
        assertEquals(
                List.of(), mistakes(example("cluster").replace("nodes: 5", "nodes: " + nodes)));
    }

    /** What is changed in the example → what the one mistake says. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                ", eu-west-1c: [^ ,]+ | | of two zones one holds the quorum of 5 nodes",
                "eu-west-1c | eu-north-1c | a zone of eu-west-1",
                "10.1.10.64/27 | 10.1.10.32/27 | eu-west-1c (10.1.10.32/27)",
                "10.1.10.64/27 | 10.1.10.64/29 | /16 to /28",
                "10.2.10.64/27 | 10.1.10.64/27 | home.cluster.subnets.eu-west-1c (10.1.10.64/27)",
                "10.1.10.64/27 | 10.1.10.65/27 | an address range such as 10.0.10.0/26",
                "vault-home.example.com:8200 | vault-home.example.com:443 | port 8200",
                "m7g.large | m7i.large | an arm64 processor",
                "version: \"2.7.2\" | version: two | a version such as 2.7.2",
                "clients: [10.0.0.0/8] | clients: [] | who may connect",
                "10.1.20.0/24:5432 | 10.1.20.0/24 | an address range and a TCP port",
                "selfFence: true | selfFence: perhaps | true or false",
                "volume: 50GiB | volume: 4GiB | a size from 8GiB",
                "selfFence: true | awsLogin: { serverId: vault.example.com } | AppRole",
                "selfFence: true | licence: payments/licence | OpenBao takes no licence",
                "dr: vault-dr.example.com | dr: vault-dr.example.com, flag: metric | selfFence",
                "rtb-0a300000000000000 | rtb-x | a route table's id",
            })
    void refusesWhatCannotWork(String from, String to, String says) throws IOException {
        String yaml = example("cluster");
        String changed =
                from.startsWith("dr:")
                        ? yaml.replace("ttl: 15", "ttl: 15\n      flag: metric")
                        : from.startsWith(",") ? yaml.replaceAll(from, "") : yaml.replace(from, to);
        List<String> all = mistakes(changed);
        assertTrue(all.stream().anyMatch(it -> it.contains(says)), says + " in " + all);
    }

    @Test
    void refusesAnOlderServerInDr() throws IOException {
        String older =
                "server: { version: \"2.6.2\", key: servers/openbao-2.6.2-linux-arm64, sha256: "
                        + "0".repeat(64)
                        + " }\n        subnets: { eu-%s-1a";
        String yaml = example("cluster");
        List<String> inDr =
                mistakes(yaml.replace("subnets: { eu-central-1a", older.formatted("central")));
        assertEquals(1, inDr.size(), inDr.toString());
        assertTrue(inDr.getFirst().contains("2.7.2 or newer, as home is"), inDr.toString());
        assertEquals(
                List.of(),
                mistakes(yaml.replace("subnets: { eu-west-1a", older.formatted("west"))),
                "a newer DR side is how an upgrade begins");
    }

    @Test
    void anOpenBaoThatNeedsAPluginHasOne() throws IOException {
        List<String> all =
                mistakes(example("cluster").replaceFirst("        sealPlugin: [^\\n]*\\n", ""));
        assertEquals(2, all.size(), all.toString());
        assertTrue(all.getFirst().contains("from 2.7 on"), all.toString());
    }

    @Test
    void aKeyOpensInBothRegionsOrIsRefused() throws IOException {
        String yaml = example("pilot-light");
        assertEquals(List.of(), mistakes(yaml));
        List<String> single =
                mistakes(
                        yaml.replaceFirst(
                                "key/mrk-1234abcd12ab34cd56ef1234567890ab",
                                "key/1234abcd-12ab-34cd-56ef-1234567890ab"));
        assertEquals(1, single.size(), single.toString());
        assertTrue(single.getFirst().contains("can't be made multi-Region"), single.toString());
        List<String> elsewhere = mistakes(yaml.replaceFirst("kms:us-east-1", "kms:eu-west-1"));
        assertEquals(1, elsewhere.size(), elsewhere.toString());
        assertTrue(
                elsewhere.getFirst().contains("a key in us-east-1 or us-west-2"),
                elsewhere.toString());
    }

    @Test
    void bothWaysAtOnceAreRefused() throws IOException {
        String yaml = example("cluster");
        List<String> all =
                mistakes(yaml.replaceFirst("(?s)(    dr:\\n)", "$1      autoScalingGroup: mine\n"));
        assertEquals(1, all.size(), all.toString());
        assertTrue(all.getFirst().contains("not both"), all.toString());
        List<String> nothing =
                mistakes(
                        example("automatic")
                                .replaceAll("ca: .*", "")
                                .replace(
                                        "    stage: automatic",
                                        "    stage: automatic\n    cluster: { nodes: 3 }"));
        assertEquals(1, nothing.size(), nothing.toString());
        assertTrue(nothing.getFirst().contains("on neither side"), nothing.toString());
    }

    @Test
    void aMadeDrSideOfABroughtHomeIsToldHomesKey() throws IOException {
        String yaml = example("cluster");
        String brought =
                yaml.substring(0, yaml.indexOf("      cluster:\n        zone"))
                        + "      instances: { vault-dr: payments-home }\n"
                        + yaml.substring(yaml.indexOf("    dr:\n"));
        List<String> all = mistakes(brought);
        assertEquals(1, all.size(), all.toString());
        assertTrue(all.getFirst().contains("the key that home seals with"), all.toString());
        assertEquals(
                List.of(),
                mistakes(
                        brought.replace(
                                "      selfFence: true",
                                "      seal: { kms: \"arn:aws:kms:eu-west-1:111122223333:key/"
                                        + "mrk-1234abcd12ab34cd56ef1234567890ab\" }")));
    }

    @Test
    void pairsInOneVpcTakeEachTheirAddresses() throws IOException {
        String yaml = example("cluster");
        String pair = yaml.substring(yaml.indexOf("  payments:\n"));
        List<String> all = mistakes(yaml + pair.replace("payments", "orders"));
        assertEquals(6, all.size(), all.toString());
        assertTrue(all.getFirst().contains("aren't taken by payments in"), all.toString());
        assertEquals(
                List.of(),
                mistakes(
                        yaml
                                + pair.replace("payments", "orders")
                                        .replace("10.1.10.", "10.1.11.")
                                        .replace("10.2.10.", "10.2.11.")));
    }
}
