package io.vaultdr.drill;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.drill.DrillState.Outcome;
import io.vaultdr.failover.InMemoryLedger;
import io.vaultdr.failover.PairState.Pause;
import io.vaultdr.failover.PairState.Phase;
import io.vaultdr.failover.TestPair;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Side;
import io.vaultdr.model.StepName;
import io.vaultdr.runtime.DrillSettings;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairMetrics.Measure;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.PairSettings.Stage;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.Proof;
import io.vaultdr.snapshot.Proof.Reason;
import io.vaultdr.snapshot.Proof.Verdict;
import io.vaultdr.snapshot.Proofs;
import io.vaultdr.snapshot.SnapshotStore;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mockito.Mockito;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** The phases over stand-ins of their ports, by a clock that is set. */
class DrillTest {
    private static final Instant START = Instant.parse("2026-03-01T03:00:00Z");
    private static final PairSettings PAIR = TestPair.at(Stage.AUTOMATIC);
    private static final Drill.Run RUN =
            new Drill.Run(
                    "arn:aws:states:eu-central-1:123456789012:execution:vault-dr-payments-drill:d1",
                    START);
    private static final String ID = "payments-20260301T030000Z";
    private static final String DRY_RUN = "arn:dryrun";

    private final InMemoryLedger ledger = new InMemoryLedger(PAIR.pair());
    private final List<String> told = new ArrayList<>();
    private final Map<String, Manifest> manifests = new HashMap<>();
    private final Map<String, Proof> proofs = new HashMap<>();
    private final Map<String, byte[]> bucket = new HashMap<>();
    private final List<Measure> measures = new ArrayList<>();
    private final KeyPair key = keys();
    private DryRuns.Standing dryRun = new DryRuns.Standing(true, Optional.empty(), List.of());
    private Instant now = START;

    @Test
    void takesProvesRunsTheStepsDryAndMeetsItsGoals() {
        Drill drill = drill(PAIR);
        DrillState state = drill.begin(DrillState.asked("Ada"), RUN);
        assertEquals(List.of("take home 2026-03-01T03:00:00Z"), told);
        assertEquals(state, drill.look(state, RUN));

        arrives();
        at(20);
        state = drill.look(state, RUN);
        assertEquals(Optional.of(START.plusSeconds(5)), state.arrivedAt());

        proves(Verdict.PROVEN);
        at(40);
        state = drill.look(state, RUN);
        assertEquals(Optional.of(DRY_RUN), state.dryRun());
        assertEquals(state, drill.look(state, RUN));

        dryRun = new DryRuns.Standing(false, Optional.empty(), steps());
        at(60);
        state = drill.look(state, RUN);
        assertTrue(state.over());

        Drill.Closed closed = drill.close(state, RUN, Map.of("function", "drill:7"));

        assertEquals(Outcome.MET, closed.outcome());
        assertEquals("s3://drills/" + RUN.key(), closed.report());
        DrillReport report = report();
        assertEquals("Ada", report.requestedBy());
        assertEquals("ab12", report.snapshot().orElseThrow().sha256());
        assertEquals("cd34", report.proof().orElseThrow().versions().get("serverSha256"));
        DrillReport.Goals goals = report.goals().orElseThrow();
        // Every five minutes, and 25 s from taking to proven.
        assertEquals(Duration.ofSeconds(325), goals.rpo().measured());
        // A window and a slot, the proof's 20 s, 3 s of the steps that clients wait for.
        assertEquals(Duration.ofSeconds(130 + 20 + 3), goals.rto().measured());
        assertEquals(List.of(Measure.count("DrillFailed", 0)), measures);
        assertInstanceOf(ReportCheck.Finding.Genuine.class, check(RUN.key()));
        assertInstanceOf(
                ReportCheck.Finding.Genuine.class, check(RUN.key().replace(".json", ".html")));
    }

    /** What was done in earnest counts instead of its proof and its dry run. */
    @Test
    void aBootedClusterCountsTowardsTheRto() {
        DrillState state =
                through(drill(PAIR))
                        .took("boot: first node", START.plusSeconds(60), Duration.ofSeconds(70))
                        .took("boot: restore", START.plusSeconds(130), Duration.ofSeconds(9))
                        .took("boot: verify", START.plusSeconds(139), Duration.ofSeconds(2))
                        .took("boot: grow to 5 voters", START, Duration.ofMinutes(2))
                        .took("boot: tear down", START, Duration.ofMinutes(1));

        drill(PAIR).close(state, RUN, Map.of());

        // A window and a slot, the dry run of Judge and Fence, then what was booted for clients.
        assertEquals(
                Duration.ofSeconds(130 + 1 + 70 + 9 + 2).plusMillis(1500),
                report().goals().orElseThrow().rto().measured());
        assertEquals(Outcome.MET, report().outcome());
        assertTrue(
                report().stages().stream().anyMatch(it -> it.name().equals("boot: tear down")),
                () -> report().stages().toString());
    }

    /** A cluster that couldn't be booted is a drill that failed, whatever the chain before. */
    @Test
    void aClusterThatFailsFailsTheDrill() throws Exception {
        DrillState state = through(drill(PAIR));
        ObjectNode json = Json.MAPPER.valueToTree(state);
        json.putObject("failure")
                .put("Error", Failure.Terminal.class.getName())
                .put("Cause", "{\"errorMessage\":\"boot it: nothing answered\"}");

        Drill.Closed closed =
                drill(PAIR).close(Json.MAPPER.treeToValue(json, DrillState.class), RUN, Map.of());

        assertEquals(Outcome.FAILED, closed.outcome());
        assertTrue(closed.findings().toString().contains("nothing answered"), closed::toString);
    }

    @Test
    void closedTwiceItIsTheSameReport() {
        Drill drill = drill(PAIR);
        DrillState state = through(drill);
        Drill.Closed first = drill.close(state, RUN, Map.of());
        Map<String, byte[]> before = Map.copyOf(bucket);
        at(600);

        assertEquals(first, drill.close(state, RUN, Map.of()));
        before.forEach((name, bytes) -> assertArrayEquals(bytes, stored(name), name));
    }

    /** Killed between the report and its signature. */
    @Test
    void aSignatureThatIsMissingIsMadeOfWhatIsStored() {
        Drill drill = drill(PAIR);
        DrillState state = through(drill);
        drill.close(state, RUN, Map.of());
        bucket.remove(RUN.key() + ".sig");
        at(600);

        drill.close(state, RUN, Map.of());

        assertInstanceOf(ReportCheck.Finding.Genuine.class, check(RUN.key()));
    }

    @Test
    void beginningTwiceTakesTheSameMinute() {
        Drill drill = drill(PAIR);
        DrillState first = drill.begin(DrillState.asked("Ada"), RUN);
        DrillState second = drill.begin(DrillState.asked("Ada"), RUN);
        assertEquals(first.snapshot(), second.snapshot());
        assertEquals(told.getFirst(), told.getLast());
        assertEquals(first, drill.begin(first, RUN));
        assertEquals(2, told.size());
    }

    @Test
    void missesTheGoalThatTookTooLong() {
        Drill drill = drill(PAIR, Duration.ofMinutes(1), Duration.ofMinutes(10));

        Drill.Closed closed = drill.close(through(drill), RUN, Map.of());

        assertEquals(Outcome.GOALS_MISSED, closed.outcome());
        assertTrue(!report().goals().orElseThrow().rpo().met());
        assertTrue(report().goals().orElseThrow().rto().met());
        assertEquals(List.of(Measure.count("DrillFailed", 1)), measures);
    }

    /** A schedule that stopped shows in what the drill found when it began. */
    @Test
    void anOldProvenSnapshotAtTheBeginningCounts() {
        Manifest old = manifest("payments-20260228T030000Z", START.minus(Duration.ofDays(1)));
        manifests.put(old.id(), old);
        proofs.put(old.id(), proof(old.id(), Verdict.PROVEN));
        Drill drill = drill(PAIR);

        drill.close(through(drill), RUN, Map.of());

        assertEquals(Duration.ofDays(1), report().goals().orElseThrow().rpo().measured());
        assertEquals(Outcome.GOALS_MISSED, report().outcome());
    }

    @Test
    void withoutAFailoverTheChainIsTakeAndProve() {
        Drill drill =
                new Drill(
                        proven(),
                        settings(Duration.ofHours(1), Duration.ofMinutes(10)),
                        ports(Optional.empty(), Optional.empty()),
                        measures::addAll,
                        clock());
        DrillState state = drill.begin(DrillState.asked("schedule"), RUN);
        arrives();
        proves(Verdict.PROVEN);

        state = drill.look(state, RUN);

        assertTrue(state.over());
        assertEquals(Outcome.MET, drill.close(state, RUN, Map.of()).outcome());
        assertEquals(Duration.ofSeconds(20), report().goals().orElseThrow().rto().measured());
    }

    @Test
    void refusesAPausedPair() {
        ledger.change(s -> s.withPause(Optional.of(new Pause("Ada", "patching", START, "r-1"))));
        refused("paused by Ada: patching");
    }

    @Test
    void refusesBesideAnIncident() {
        incident();
        refused("changing");
    }

    private void refused(String why) {
        Drill drill = drill(PAIR);
        DrillState state = drill.begin(DrillState.asked("Ada"), RUN);
        assertEquals(List.of(), told);
        assertTrue(state.over());

        Drill.Closed closed = drill.close(state, RUN, Map.of());

        assertEquals(Outcome.REFUSED, closed.outcome());
        assertTrue(closed.findings().getFirst().contains(why), closed::toString);
        assertEquals(List.of(), measures);
    }

    @Test
    void anIncidentThatOpensStopsIt() {
        Drill drill = drill(PAIR);
        DrillState state = drill.begin(DrillState.asked("Ada"), RUN);
        arrives();
        incident();

        state = drill.look(state, RUN);

        assertEquals(Optional.of(Outcome.STOPPED_BY_INCIDENT), state.outcome());
        assertEquals(Outcome.STOPPED_BY_INCIDENT, drill.close(state, RUN, Map.of()).outcome());
        assertEquals(List.of(), measures);
    }

    @Test
    void asksTheSideThatServes() {
        ledger.change(s -> s.served(Side.DR, START, new Epoch(1)));
        drill(PAIR).begin(DrillState.asked("Ada"), RUN);
        assertEquals(List.of("take dr 2026-03-01T03:00:00Z"), told);
    }

    @Test
    void saysWhatItWaitedForWhenNoSnapshotArrives() {
        Drill drill = drill(PAIR);
        DrillState state = drill.begin(DrillState.asked("Ada"), RUN);
        at(Drill.ARRIVAL.toSeconds());
        failed(
                drill,
                drill.look(state, RUN),
                "Waited 30 minutes for manifests/" + ID + ".json to be committed in eu-central-1");
    }

    @Test
    void saysWhatWasSeenWhenNoProofIsMade() {
        Drill drill = drill(PAIR);
        DrillState state = drill.begin(DrillState.asked("Ada"), RUN);
        arrives();
        proofs.put(ID, proof(ID, Verdict.UNDECIDED));
        state = drill.look(state, RUN);
        assertTrue(!state.over());
        at(5 + Drill.PROOF.toSeconds());
        failed(
                drill,
                drill.look(state, RUN),
                "a proof of " + ID + "; seen: UNDECIDED (OUT_OF_TIME)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"REFUTED", "NOT_PROVABLE_HERE"})
    void aSnapshotThatIsNotProvenBreaksTheChain(String verdict) {
        Drill drill = drill(PAIR);
        DrillState state = drill.begin(DrillState.asked("Ada"), RUN);
        arrives();
        proofs.put(ID, proof(ID, Verdict.valueOf(verdict)));
        failed(drill, drill.look(state, RUN), "is not proven: " + verdict + " (OUT_OF_TIME)");
    }

    @Test
    void aDryRunThatFailsBreaksTheChain() {
        Drill drill = drill(PAIR);
        DrillState state = proven(drill);
        dryRun = new DryRuns.Standing(false, Optional.of("Broken"), steps());
        failed(
                drill,
                drill.look(state, RUN),
                "ended with Broken; it came by Judge, Fence, Promote");
    }

    @Test
    void aDryRunThatHangsBreaksTheChain() {
        Drill drill = drill(PAIR);
        DrillState state = proven(drill);
        at(Duration.ofHours(2).toSeconds());
        failed(drill, drill.look(state, RUN), "Waited 30 minutes for dry run " + DRY_RUN);
    }

    /** What a Catch left; a stranger's message may hold anything. */
    @Test
    void reportsThatItselfFailed() {
        String event =
                """
                {"phase":"close","execution":"%s","startedAt":"2026-03-01T03:00:00Z","state":
                 {"requestedBy":"Ada","failure":{"Error":"%s",
                  "Cause":"{\\"errorMessage\\":\\"read it: gone\\"}"}}}
                """;
        Record ours = close(event.formatted(RUN.execution(), Failure.Retryable.class.getName()));
        assertEquals(
                List.of("The drill itself failed: read it: gone"),
                ((Drill.Closed) ours).findings());
        bucket.clear();
        Record other = close(event.formatted(RUN.execution(), "java.lang.Error"));
        assertEquals(
                List.of("The drill itself failed: java.lang.Error"),
                ((Drill.Closed) other).findings());
        assertEquals(Outcome.FAILED, ((Drill.Closed) other).outcome());
    }

    private Record close(String event) {
        try {
            Map<String, Object> read = Json.MAPPER.readValue(event, new TypeReference<>() {});
            return DrillInput.of(read).run(drill(PAIR), Map.of());
        } catch (java.io.IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void readsItsEventAndSaysWhatIsWrongWithOne() throws Exception {
        Map<String, Object> event =
                Json.MAPPER.readValue(
                        Files.readString(
                                Path.of(System.getProperty("vaultdr.root", ".."))
                                        .resolve("events/drill.json")),
                        new TypeReference<>() {});
        DrillInput input = DrillInput.of(event);
        assertEquals(DrillInput.Phase.BEGIN, input.phase());
        assertEquals(Optional.of("Ada"), input.state().requestedBy());

        Failure failure =
                assertThrows(
                        Failure.Terminal.class,
                        () -> DrillInput.of(Map.of("phase", "begun", "state", Map.of())));
        assertTrue(
                failure.toString()
                        .contains(
                                "phase: read begun, expected one of [begin, look, close, boot,"
                                        + " promote, verify, grow, tear_down]; execution: read"
                                        + " null"),
                failure::toString);
    }

    @Test
    void travelsAsJson() throws Exception {
        DrillState state = proven(drill(PAIR));
        assertEquals(
                state,
                Json.MAPPER.readValue(Json.MAPPER.writeValueAsString(state), DrillState.class));
    }

    @Test
    void aDryRunOfTheDrillTakesNothing() {
        Map<String, String> seen = drill(PAIR).dryRun();
        assertEquals("home", seen.get("serving"));
        assertEquals(List.of("try home"), told);
        assertEquals(Map.of(), bucket);
    }

    @Test
    void whatWasAlteredIsNamed() {
        Drill drill = drill(PAIR);
        drill.close(through(drill), RUN, Map.of());
        String stored = new String(stored(RUN.key()), StandardCharsets.UTF_8);

        altered(stored.replace("\"MET\"", "\"FAILED\""), "'outcome' was changed");
        altered(stored.replace("\"requestedBy\" : \"Ada\",", ""), "'requestedBy' was taken out");
        altered(stored.replaceFirst("\\{", "{\"more\":1,"), "'more' was put in");
        altered(stored + " ", "every section fits its own hash");
        altered("{}", "the list of its sections' hashes isn't there");
        altered("<html>", "compare its JSON");
    }

    private void altered(String document, String expected) {
        ReportCheck.Finding.Altered finding =
                assertInstanceOf(
                        ReportCheck.Finding.Altered.class,
                        ReportCheck.check(
                                document.getBytes(StandardCharsets.UTF_8),
                                stored(RUN.key() + ".sig"),
                                key.getPublic()));
        assertTrue(finding.what().getFirst().contains(expected), finding::toString);
    }

    @Test
    void whatIsNoSignatureSignsNothing() {
        assertInstanceOf(
                ReportCheck.Finding.Altered.class,
                ReportCheck.check(new byte[1], new byte[] {1, 2, 3}, key.getPublic()));
    }

    /** Whoever asks is a claim, so it may be anything. */
    @Test
    void thePageShowsMarkupAsText() {
        Drill drill = drill(PAIR);
        DrillState state = through(drill, "<script>alert(1)</script>");
        drill.close(state, RUN, Map.of());
        String page =
                new String(stored(RUN.key().replace(".json", ".html")), StandardCharsets.UTF_8);
        assertTrue(page.contains("&lt;script&gt;"), page);
        assertTrue(!page.contains("<script"), page);
        assertTrue(page.contains("<svg") && !page.contains("http"), page);
    }

    private void failed(Drill drill, DrillState state, String why) {
        assertEquals(Optional.of(Outcome.FAILED), state.outcome());
        assertTrue(state.why().orElse("").contains(why), state::toString);
        Drill.Closed closed = drill.close(state, RUN, Map.of());
        assertEquals(Outcome.FAILED, closed.outcome());
        assertEquals(List.of(Measure.count("DrillFailed", 1)), measures);
    }

    private DrillState proven(Drill drill) {
        DrillState state = drill.begin(DrillState.asked("Ada"), RUN);
        arrives();
        proves(Verdict.PROVEN);
        return drill.look(state, RUN);
    }

    private DrillState through(Drill drill) {
        return through(drill, "Ada");
    }

    private DrillState through(Drill drill, String by) {
        DrillState state = drill.begin(DrillState.asked(by), RUN);
        arrives();
        proves(Verdict.PROVEN);
        state = drill.look(state, RUN);
        dryRun = new DryRuns.Standing(false, Optional.empty(), steps());
        at(60);
        return drill.look(state, RUN);
    }

    private void arrives() {
        manifests.put(ID, manifest(ID, START.plusSeconds(2)));
    }

    private void proves(Verdict verdict) {
        proofs.put(ID, proof(ID, verdict));
    }

    private void incident() {
        ledger.change(s -> s.withPhase(new Phase.Changing(new Epoch(1), StepName.FENCE)));
    }

    private void at(long seconds) {
        now = START.plusSeconds(seconds);
    }

    private static List<DryRuns.Step> steps() {
        return List.of(
                new DryRuns.Step("Judge", START.plusSeconds(41), START.plusSeconds(42)),
                // Beside Promote, and not as long.
                new DryRuns.Step(
                        "Fence", START.plusSeconds(42), START.plusSeconds(43).plusMillis(500)),
                new DryRuns.Step("Promote", START.plusSeconds(42), START.plusSeconds(44)),
                new DryRuns.Step("Grow", START.plusSeconds(44), START.plusSeconds(50)));
    }

    private static Manifest manifest(String id, Instant takenAt) {
        return new Manifest(
                id,
                PAIR.pair(),
                Side.HOME,
                takenAt,
                Optional.of(Epoch.ZERO),
                1_000,
                "ab12",
                700,
                3,
                "c-1",
                "n-1",
                new Manifest.RestoreNeeds(
                        "openbao",
                        "2.7.2",
                        "awskms",
                        Optional.empty(),
                        Map.of("snapshot", "accessor-1"),
                        List.of()));
    }

    private static Proof proof(String id, Verdict verdict) {
        boolean proven = verdict == Verdict.PROVEN;
        return new Proof(
                id,
                PAIR.pair(),
                verdict,
                proven ? Optional.empty() : Optional.of(Reason.OUT_OF_TIME),
                Optional.empty(),
                START.plusSeconds(27),
                "eu-central-1",
                1,
                Optional.of("ab12"),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                List.of(
                        new Proof.StageTime("fetch", Duration.ofSeconds(5)),
                        new Proof.StageTime("restore", Duration.ofSeconds(15))),
                Optional.empty(),
                Map.of("server", "2.7.2", "serverSha256", "cd34"));
    }

    private DrillReport report() {
        try {
            return Json.MAPPER.readValue(stored(RUN.key()), DrillReport.class);
        } catch (java.io.IOException e) {
            throw new AssertionError(e);
        }
    }

    private byte[] stored(String name) {
        return Objects.requireNonNull(bucket.get(name), name);
    }

    private ReportCheck.Finding check(String name) {
        return ReportCheck.check(stored(name), stored(name + ".sig"), key.getPublic());
    }

    private Drill drill(PairSettings pair) {
        return drill(pair, Duration.ofHours(1), Duration.ofMinutes(10));
    }

    private Drill drill(PairSettings pair, Duration rpo, Duration rto) {
        return new Drill(
                pair,
                settings(rpo, rto),
                ports(Optional.of(ledger), Optional.of(dryRuns())),
                measures::addAll,
                clock());
    }

    private static DrillSettings settings(Duration rpo, Duration rto) {
        return new DrillSettings(
                new PairSettings.Bucket("eu-central-1", "drills", "123456789012"),
                "arn:aws:kms:eu-central-1:123456789012:key/k",
                "arn:aws:lambda:eu-west-1:123456789012:function:vault-dr-payments-take-snapshot:live",
                Optional.empty(),
                rpo,
                rto,
                false);
    }

    /** The same pair on the rung below, which has no failover and no ledger. */
    private static PairSettings proven() {
        return new PairSettings(
                PAIR.pair(),
                PAIR.edition(),
                Stage.PROVEN,
                PAIR.account(),
                PAIR.home(),
                Optional.empty(),
                PAIR.buckets(),
                List.of(),
                Optional.empty(),
                Optional.empty(),
                PAIR.slot(),
                PAIR.snapshotEvery(),
                PAIR.topicArn());
    }

    private DryRuns dryRuns() {
        return new DryRuns() {
            @Override
            public String start(Instant at) {
                assertEquals(START, at);
                return DRY_RUN;
            }

            @Override
            public Standing look(String arn) {
                assertEquals(DRY_RUN, arn);
                return dryRun;
            }
        };
    }

    private Drill.Ports ports(
            Optional<io.vaultdr.failover.Ledger> book, Optional<DryRuns> dryRuns) {
        SnapshotStore store = Mockito.mock(SnapshotStore.class);
        Mockito.when(store.region()).thenReturn("eu-central-1");
        Mockito.when(store.newestIds(Mockito.anyInt()))
                .thenAnswer(_ -> manifests.keySet().stream().sorted().toList().reversed());
        Mockito.when(store.committed(Mockito.anyString()))
                .thenAnswer(
                        call ->
                                Optional.ofNullable(
                                        manifests.get(call.getArgument(0, String.class))));
        return new Drill.Ports(
                book,
                dryRuns,
                new TakeSnapshots() {
                    @Override
                    public void invoke(Side side, Instant minute) {
                        told.add("take " + side + " " + minute);
                    }

                    @Override
                    public void tryInvoke(Side side) {
                        told.add("try " + side);
                    }
                },
                store,
                id ->
                        Optional.ofNullable(manifests.get(id))
                                .map(manifest -> manifest.takenAt().plusSeconds(3)),
                new Proofs() {
                    @Override
                    public String region() {
                        return "eu-central-1";
                    }

                    @Override
                    public Optional<Proof> of(String id) {
                        return Optional.ofNullable(proofs.get(id));
                    }

                    @Override
                    public void write(Proof proof) {
                        proofs.put(proof.id(), proof);
                    }
                },
                new DrillBucket() {
                    @Override
                    public Optional<byte[]> read(String name) {
                        return Optional.ofNullable(bucket.get(name));
                    }

                    @Override
                    public byte[] writeOnce(String name, byte[] bytes, String contentType) {
                        bucket.putIfAbsent(name, bytes);
                        return read(name).orElseThrow();
                    }

                    @Override
                    public String place(String name) {
                        return "s3://drills/" + name;
                    }
                },
                new Signer() {
                    @Override
                    public String key() {
                        return "arn:aws:kms:eu-central-1:123456789012:key/k";
                    }

                    @Override
                    public byte[] sign(byte[] sha256) {
                        try {
                            Signature signer = Signature.getInstance("NONEwithECDSA");
                            signer.initSign(key.getPrivate());
                            signer.update(sha256);
                            return signer.sign();
                        } catch (java.security.GeneralSecurityException e) {
                            throw new AssertionError(e);
                        }
                    }

                    @Override
                    public byte[] publicKey() {
                        return key.getPublic().getEncoded();
                    }
                });
    }

    private Clock clock() {
        return new Clock() {
            @Override
            public java.time.ZoneId getZone() {
                return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(java.time.ZoneId zone) {
                return this;
            }

            @Override
            public Instant instant() {
                return now;
            }
        };
    }

    private static KeyPair keys() {
        try {
            KeyPairGenerator keys = KeyPairGenerator.getInstance("EC");
            keys.initialize(new ECGenParameterSpec("secp256r1"));
            return keys.generateKeyPair();
        } catch (java.security.GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }
}
