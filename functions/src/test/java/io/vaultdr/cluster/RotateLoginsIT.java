package io.vaultdr.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.aws.S3Bucket;
import io.vaultdr.aws.SecretsManagerLogins;
import io.vaultdr.cluster.RotateLogins.Report;
import io.vaultdr.cluster.RotateLogins.Result;
import io.vaultdr.cluster.Rotation.Rule;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Secret;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairMetrics.Measure;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.Serving;
import io.vaultdr.testing.BaoCluster;
import io.vaultdr.testing.Clusters;
import io.vaultdr.testing.Moto;
import io.vaultdr.testing.TestLogins;
import io.vaultdr.vault.HttpVaultClients;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.Login;
import io.vaultdr.vault.Login.Intent;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

import software.amazon.awssdk.core.sync.RequestBody;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** Rotating on a real server, with the secrets of two regions and the manifests of a bucket. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RotateLoginsIT {
    private static final PairId PAIR = new PairId("payments");
    private static final PairSettings.Bucket BUCKET =
            new PairSettings.Bucket("eu-west-1", "snapshots", "123456789012");
    private static final String DR = "eu-central-1";
    private static final String HERE = "payments-vault-dr";
    private static final String THERE = "payments-dr";
    private static final Set<Intent> LOGINS =
            Set.of(Intent.SNAPSHOT, Intent.VERIFY, Intent.GROW, Intent.PROVE, Intent.ROTATE);

    private final Moto moto = Moto.start();
    private final AwsClients aws = moto.clients();
    private final BaoCluster server = BaoCluster.running(1);
    private final List<Measure> published = new ArrayList<>();
    private final LoginSecrets own =
            new SecretsManagerLogins(
                    BUCKET.region(), aws.secretsManager(BUCKET.region()), HERE, Intent.of(false));
    private final LoginSecrets dr =
            new SecretsManagerLogins(DR, aws.secretsManager(DR), THERE, Intent.of(false));

    @BeforeAll
    void makeTheBucket() {
        aws.s3(BUCKET.region())
                .createBucket(
                        it ->
                                it.bucket(BUCKET.name())
                                        .createBucketConfiguration(
                                                c -> c.locationConstraint(BUCKET.region())));
    }

    @AfterAll
    void endBoth() {
        server.close();
        moto.close();
    }

    /** New logins in both regions, and no snapshot. */
    @BeforeEach
    void setUp() {
        published.clear();
        new TestLogins(
                        server,
                        aws.secretsManager(BUCKET.region()),
                        HERE,
                        new VaultSetup(List.of(), false))
                .make(LOGINS.toArray(Intent[]::new));
        own.versions().forEach((intent, version) -> copy(intent, version));
        aws.s3(BUCKET.region())
                .listObjectsV2(it -> it.bucket(BUCKET.name()))
                .contents()
                .forEach(
                        it ->
                                aws.s3(BUCKET.region())
                                        .deleteObject(d -> d.bucket(BUCKET.name()).key(it.key())));
    }

    private void copy(Intent intent, String version) {
        if (dr.versions().containsKey(intent)) {
            dr.put(intent, version, own.value(intent));
        } else {
            aws.secretsManager(DR)
                    .createSecret(
                            it ->
                                    it.name(THERE + "/" + intent)
                                            .clientRequestToken(version)
                                            .secretString(own.value(intent).reveal()));
        }
    }

    private String version(Intent intent) {
        return Objects.requireNonNull(own.versions().get(intent));
    }

    private static Secret valueOf(Map<Intent, Secret> values, Intent intent) {
        return Objects.requireNonNull(values.get(intent));
    }

    private Report run(Duration later, boolean dryRun) {
        return rotation(later, () -> Serving.ALWAYS_HOME, dr).run(dryRun);
    }

    private RotateLogins rotation(
            Duration later, Supplier<Serving> serving, LoginSecrets elsewhere) {
        Clock clock = Clock.offset(Clock.systemUTC(), later);
        return new RotateLogins(
                Intent.of(false),
                Clusters.of(server.addresses()),
                Side.HOME,
                serving,
                new LeaderFinder(clients()),
                Login.by(aws.secretsManager(BUCKET.region())),
                own,
                List.of(elsewhere),
                List.of(new S3Bucket(aws, BUCKET, PAIR, clock)),
                clock,
                published::addAll);
    }

    private static HttpVaultClients clients() {
        return new HttpVaultClients(any -> Optional.empty(), HttpVaultClients.Limits.DEFAULT);
    }

    private boolean logsIn(Secret value) throws IOException {
        var json = Json.MAPPER.readTree(value.reveal());
        var cluster = Clusters.of(server.addresses());
        var node = clients().at(cluster, cluster.address());
        try {
            var token =
                    node.login(
                                    Secret.of(json.path("role_id").asText()),
                                    Secret.of(json.path("secret_id").asText()))
                            .value();
            node.revokeSelf(token);
            return true;
        } catch (Failure.Terminal e) {
            return false;
        }
    }

    private void snapshot(Instant at, Map<Intent, String> logins) throws IOException {
        Manifest manifest =
                new Manifest(
                        Manifest.id(PAIR, at, Duration.ofMinutes(1)),
                        PAIR,
                        Side.HOME,
                        at,
                        Optional.of(Epoch.ZERO),
                        1,
                        "00",
                        7,
                        1,
                        "cluster",
                        "nonce",
                        new Manifest.RestoreNeeds(
                                "openbao",
                                "2.7.2",
                                "static",
                                Optional.empty(),
                                logins.entrySet().stream()
                                        .collect(
                                                Collectors.toMap(
                                                        it -> it.getKey().toString(),
                                                        Map.Entry::getValue)),
                                List.of()));
        byte[] json = Json.MAPPER.writeValueAsBytes(manifest);
        aws.s3(BUCKET.region())
                .putObject(
                        it -> it.bucket(BUCKET.name()).key(Manifest.key(manifest.id())),
                        RequestBody.fromBytes(json));
    }

    private static Map<String, Rule> all(Rule rule) {
        return LOGINS.stream().collect(Collectors.toMap(Intent::toString, it -> rule));
    }

    @Test
    void youngLoginsStayAsTheyAre() {
        Map<Intent, String> before = own.versions();

        Report report = run(Duration.ofDays(29), false);

        assertEquals(Result.DONE, report.result(), report.toString());
        assertEquals(all(Rule.YOUNG), report.logins());
        assertEquals(before, own.versions());
        assertEquals(before, dr.versions());
        assertEquals(List.of(Measure.count("LoginProblems", 0)), published);
    }

    @Test
    void aDryRunSaysWhatItWouldDoAndDoesNothing() {
        Map<Intent, String> before = own.versions();

        Report report = run(Duration.ofDays(31), true);

        assertEquals(Result.DRY_RUN, report.result());
        assertEquals(all(Rule.OLD), report.logins());
        assertEquals(before, own.versions());
        assertEquals(List.of(), published);
    }

    @Test
    void anOldOneIsReplacedInEveryRegionAndValidAsLongAsASnapshotNamesIt() throws Exception {
        Map<Intent, Secret> before = new EnumMap<>(Intent.class);
        LOGINS.forEach(intent -> before.put(intent, own.value(intent)));
        Map<Intent, String> versions = own.versions();
        Instant taken = Instant.now();
        snapshot(taken, Map.of(Intent.SNAPSHOT, version(Intent.SNAPSHOT)));

        Report rotated = run(Duration.ofDays(31), false);

        assertEquals(Result.DONE, rotated.result(), rotated.toString());
        assertEquals(all(Rule.OLD), rotated.logins());
        assertEquals(own.versions(), dr.versions());
        for (Intent intent : LOGINS) {
            assertFalse(version(intent).equals(versions.get(intent)));
            assertTrue(logsIn(own.value(intent)), intent.toString());
            assertEquals(own.value(intent), dr.value(intent));
            assertTrue(logsIn(valueOf(before, intent)), "the one before of " + intent);
        }

        // The server's clock says that the new ones were issued now, so that is two days on.
        Report swept = run(Duration.ofDays(2), false);

        assertEquals(Result.DONE, swept.result(), swept.toString());
        assertEquals(all(Rule.YOUNG), swept.logins());
        for (Intent intent : LOGINS) {
            assertTrue(logsIn(own.value(intent)), intent.toString());
            assertEquals(
                    intent == Intent.SNAPSHOT,
                    logsIn(valueOf(before, intent)),
                    "the one before of " + intent);
        }

        snapshot(taken, Map.of());
        assertEquals(Set.of("snapshot"), run(Duration.ofDays(2), false).destroyed().keySet());
        assertFalse(logsIn(valueOf(before, Intent.SNAPSHOT)));
    }

    /** As after the restore of a snapshot from before a rotation. */
    @Test
    void whatTheServerDoesNotKnowIsReplacedByTheLoginThatASnapshotNames() throws Exception {
        Map<Intent, String> known = own.versions();
        snapshot(Instant.now(), known);
        for (Intent intent : List.of(Intent.ROTATE, Intent.SNAPSHOT)) {
            String value =
                    own.value(intent)
                            .reveal()
                            .replaceAll("\"secret_id\":\"[^\"]*", "\"secret_id\":\"of-later");
            own.put(intent, UUID.randomUUID().toString(), Secret.of(value));
        }

        Report report = run(Duration.ofDays(2), false);

        assertEquals(Result.DONE, report.result(), report.toString());
        assertEquals(Rule.UNKNOWN, report.logins().get("rotate"));
        assertEquals(Rule.UNKNOWN, report.logins().get("snapshot"));
        assertEquals(Rule.YOUNG, report.logins().get("verify"));
        assertTrue(logsIn(own.value(Intent.ROTATE)));
        assertTrue(logsIn(own.value(Intent.SNAPSHOT)));
        assertEquals(own.versions(), dr.versions());
    }

    @Test
    void aRegionThatDoesNotAnswerGetsItsVersionsLaterAndUntilThenNothingIsDestroyed()
            throws Exception {
        Secret before = own.value(Intent.GROW);
        Failure gone = new Failure.Retryable("read secrets", "silence", "Look.");
        LoginSecrets away =
                new LoginSecrets() {
                    @Override
                    public String region() {
                        return DR;
                    }

                    @Override
                    public Map<Intent, String> versions() {
                        throw gone;
                    }

                    @Override
                    public Secret value(Intent intent) {
                        throw gone;
                    }

                    @Override
                    public void put(Intent intent, String version, Secret value) {
                        throw gone;
                    }
                };
        Supplier<Serving> home = () -> Serving.ALWAYS_HOME;

        Report report = rotation(Duration.ofDays(31), home, away).run(false);

        assertEquals(Result.UNFINISHED, report.result());
        assertEquals(all(Rule.OLD), report.logins());
        assertEquals(List.of(Measure.count("LoginProblems", 1)), published);
        rotation(Duration.ofDays(2), home, away).run(false);
        assertTrue(logsIn(before));
        assertThrows(Failure.Retryable.class, () -> rotation(Duration.ZERO, home, away).run(true));

        Report later = run(Duration.ZERO, false);

        assertEquals(Result.DONE, later.result(), later.toString());
        assertEquals(LOGINS.size(), later.brought().size(), later.toString());
        assertEquals(own.versions(), dr.versions());
        assertEquals(own.value(Intent.GROW), dr.value(Intent.GROW));
    }

    @Test
    void aLoginThatIsMissingIsToldWithWhatToDo() {
        aws.secretsManager(DR)
                .deleteSecret(
                        it -> it.secretId(THERE + "/verify").forceDeleteWithoutRecovery(true));

        Report report = run(Duration.ZERO, false);

        assertEquals(Result.UNFINISHED, report.result());
        assertEquals(
                List.of(
                        "the login verify has no secret in eu-central-1: run ./vault-dr setup and"
                                + " apply what it prints"),
                report.problems());
        assertThrows(Failure.Terminal.class, () -> run(Duration.ZERO, true));
    }

    @Test
    void whereTheOtherSideServesOrNobodyCanTellNothingIsRotated() {
        Map<Intent, String> before = own.versions();
        Supplier<Serving> there = () -> new Serving(Side.DR, new Epoch(1));
        Supplier<Serving> away =
                () -> {
                    throw new Failure.Retryable("read the ledger", "silence", "Look.");
                };

        for (boolean dryRun : List.of(true, false)) {
            assertEquals(
                    Result.NOT_SERVING,
                    rotation(Duration.ofDays(31), there, dr).run(dryRun).result());
        }
        assertEquals(
                Result.UNFINISHED, rotation(Duration.ofDays(31), away, dr).run(false).result());
        assertThrows(
                Failure.Retryable.class, () -> rotation(Duration.ofDays(31), away, dr).run(true));

        assertEquals(before, own.versions());
        assertEquals(List.of(Measure.count("LoginProblems", 1)), published);
    }
}
