package io.vaultdr.infra.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.infra.Examples;
import io.vaultdr.infra.config.NetworkPaths.NetworkPath;

import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;

class NetworkPathsTest {
    @Test
    void aBackupReachesItsServersItsLoginAndBothBuckets() {
        assertEquals(
                List.of(
                        "vault.internal:8200",
                        "secretsmanager.eu-west-1.amazonaws.com:443",
                        "s3.eu-west-1.amazonaws.com:443",
                        "s3.eu-central-1.amazonaws.com:443"),
                NetworkPaths.of(Examples.load("backup")).stream()
                        .filter(it -> it.function().endsWith("-take-snapshot"))
                        .map(it -> it.to() + ":" + it.port())
                        .toList());
    }

    @Test
    void whatRotatesLoginsReachesEachRegionThatHasThem() {
        assertEquals(
                List.of(
                        "secretsmanager.eu-west-1.amazonaws.com",
                        "secretsmanager.eu-central-1.amazonaws.com"),
                NetworkPaths.of(Examples.load("proven")).stream()
                        .filter(it -> it.function().equals("vault-dr-payments-rotate-logins"))
                        .map(NetworkPath::to)
                        .filter(it -> it.startsWith("secretsmanager"))
                        .toList());
    }

    @Test
    void whereFunctionsLogInByAwsTheServersAskStsOfTheirOwnRegion() {
        assertEquals(
                List.of("sts.us-east-1.amazonaws.com", "sts.us-west-2.amazonaws.com"),
                NetworkPaths.of(Examples.load("vault")).stream()
                        .filter(it -> it.function().equals("the servers of orders"))
                        .map(NetworkPath::to)
                        .toList());
    }

    @Test
    void aProverReachesThreeServicesOfItsOwnRegionAndNoServer() {
        assertEquals(
                List.of(
                        "s3.eu-central-1.amazonaws.com",
                        "secretsmanager.eu-central-1.amazonaws.com",
                        "kms.eu-central-1.amazonaws.com"),
                NetworkPaths.of(Examples.load("proven")).stream()
                        .filter(it -> it.function().equals("vault-dr-payments-prove-snapshot"))
                        .map(NetworkPath::to)
                        .toList());
    }

    @Test
    void everyVantageReachesTheServersOfBothSidesAndTheDrRegion() {
        for (String vantage : List.of("eu-west-1", "eu-central-1", "eu-north-1")) {
            Set<String> reached = new TreeSet<>();
            for (NetworkPath path : NetworkPaths.of(Examples.load("automatic"))) {
                if (path.function().equals("vault-dr-probe") && path.region().equals(vantage)) {
                    reached.add(path.to());
                }
            }
            assertTrue(
                    reached.containsAll(
                            Set.of(
                                    "home-5.example.com",
                                    "dr-3.example.com",
                                    "dynamodb.eu-central-1.amazonaws.com",
                                    "monitoring.eu-central-1.amazonaws.com")),
                    vantage + " " + reached);
        }
    }

    @Test
    void aFenceReachesTheFlagBucketsOnlyWhereThereAreSome() {
        assertTrue(fence("automatic").contains("s3.eu-north-1.amazonaws.com"));
        assertTrue(fence("vault").stream().noneMatch(it -> it.startsWith("s3.")));
    }

    private static List<String> fence(String example) {
        return NetworkPaths.of(Examples.load(example)).stream()
                .filter(it -> it.function().endsWith("-fence"))
                .map(NetworkPath::to)
                .toList();
    }

    @Test
    void nodesReachWhatTheyBootWithAndWhereMarksAre() {
        Set<String> reached = new TreeSet<>();
        for (NetworkPath path : NetworkPaths.of(Examples.load("cluster"))) {
            if (path.function().equals("vault-dr-payments-home (nodes)")) {
                reached.add(path.to().replace(".amazonaws.com", ""));
            }
        }
        assertEquals(
                Set.of(
                        "10.1.20.0/24",
                        "ec2.eu-west-1",
                        "ec2messages.eu-west-1",
                        "kms.eu-west-1",
                        "logs.eu-west-1",
                        "monitoring.eu-west-1",
                        "s3.eu-central-1",
                        "s3.eu-north-1",
                        "secretsmanager.eu-west-1",
                        "sns.eu-west-1",
                        "ssm.eu-west-1",
                        "ssmmessages.eu-west-1"),
                reached);
    }

    /** Functions follow a standby to its leader, whose address nobody knows before. */
    @Test
    void whoAsksAMadeClusterReachesEachOfItsSubnets() {
        List<NetworkPath> probes =
                NetworkPaths.of(Examples.load("cluster")).stream()
                        .filter(it -> it.function().equals("vault-dr-probe"))
                        .filter(it -> it.region().equals("eu-north-1") && it.port() == 8200)
                        .toList();
        assertEquals(8, probes.size(), probes.toString());
        assertTrue(
                probes.stream()
                        .allMatch(
                                it ->
                                        it.way().startsWith("peering or a transit gateway")
                                                && it.way().contains("cluster.functions")),
                probes.toString());
    }

    @Test
    void saysWhereEndpointsAreNotEnough() {
        NetworkPath metrics =
                NetworkPaths.of(Examples.load("vault")).stream()
                        .filter(it -> it.region().equals("us-east-1"))
                        .filter(it -> it.to().equals("monitoring.us-west-2.amazonaws.com"))
                        .findFirst()
                        .orElseThrow();
        assertEquals(
                "no endpoint reaches monitoring of another region: a NAT, or peering to a VPC in"
                        + " us-west-2 with an interface endpoint",
                metrics.way());
    }
}
