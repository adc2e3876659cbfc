package io.vaultdr.rehearsal;

import io.vaultdr.aws.DynamoDbLedger;
import io.vaultdr.failover.Incident.Approval;
import io.vaultdr.model.Outcome;
import io.vaultdr.model.Side;
import io.vaultdr.model.Slots;
import io.vaultdr.rehearsal.world.World;
import io.vaultdr.runtime.Json;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.Proof;
import io.vaultdr.testing.BaoServer;

import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sfn.model.ExecutionStatus;

import java.security.SecureRandom;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/** The world that a scenario plays in, and what it can do to it. Every wait is bounded. */
final class Stage extends Scene {
    /** The place from which clients reach the servers. */
    static final String CLIENTS = "clients";

    private final Fleet fleet;
    private final Links links;
    private final Writer writer;
    private final Resolver resolver;
    private final Operator operator;
    private final Set<String> damaged = new LinkedHashSet<>();
    private boolean warmed;

    Stage(
            Console console,
            World world,
            Fleet fleet,
            Links links,
            Writer writer,
            Resolver resolver,
            Operator operator,
            DynamoDbLedger ledger,
            Slots slots,
            Supplier<List<Story.Page>> pages) {
        super(console, world, ledger, slots, pages);
        this.fleet = fleet;
        this.links = links;
        this.writer = writer;
        this.resolver = resolver;
        this.operator = operator;
    }

    Operator operator() {
        return operator;
    }

    /** The snapshots that the scenario itself damaged. */
    synchronized Set<String> damaged() {
        return Set.copyOf(damaged);
    }

    /**
     * Where time is compressed: runs the daily dry run now, which starts every step's function, and
     * lets the evaluation know. What is left of the window after a quarter of it, when the
     * evaluation does so by itself, is too short for it then.
     */
    void warmSteps() throws Exception {
        if (warmed || slots.length().equals(Slots.DEFAULT_LENGTH)) {
            return;
        }
        warmed = true;
        SfnClient states = world.aws().at(SfnClient.builder(), Configuration.DR).build();
        String machine =
                "arn:aws:states:%s:%s:stateMachine:%s"
                        .formatted(Configuration.DR, Configuration.ACCOUNT, function("failover"));
        String name =
                Configuration.PAIR
                        + "-dryrun-"
                        + Instant.now().minusSeconds(3_600).getEpochSecond();
        String execution =
                states.startExecution(
                                it ->
                                        it.stateMachineArn(machine)
                                                .name(name)
                                                .input(
                                                        "{\"pair\":\"payments\",\"epoch\":0,"
                                                                + "\"dryRun\":true}"))
                        .executionArn();
        await(
                "the end of the dry run",
                () -> {
                    var now = states.describeExecution(it -> it.executionArn(execution));
                    return now.status() == ExecutionStatus.RUNNING
                            ? Optional.empty()
                            : Optional.of("dry run: " + now.statusAsString());
                });
        Instant end = Instant.now();
        await(
                "an evaluation to be told so",
                () ->
                        ledger.assessment()
                                .filter(it -> ledger.assess(it.withWarmedAt(end)))
                                .map(it -> "the steps' functions are warm"));
    }

    /** Takes home away: servers, links, functions, schedules and calls. */
    void loseHome() throws Exception {
        warmSteps();
        strike("the home region " + Configuration.HOME + " is gone");
        // At the same moment as far as one machine can: first what answers clients and probes.
        links.links(link -> link.host().startsWith("home-")).forEach(Links.Link::cut);
        world.loseRegion(Configuration.HOME);
        fleet.kill(Side.HOME);
    }

    /** Takes a region away that holds no servers. */
    void loseRegion(String region) {
        strike("the region " + region + " is gone");
        world.loseRegion(region);
    }

    /** Kills the node of home that leads; its name. */
    String killLeader() {
        Fleet.Node leader = fleet.leader();
        leader.server().kill();
        return leader.name();
    }

    /** Kills three of home's five servers, the leader among them. */
    void killMajority() {
        Fleet.Node leader = fleet.leader();
        leader.server().kill();
        fleet.nodes(Side.HOME).stream()
                .filter(node -> !node.equals(leader))
                .limit(fleet.nodes(Side.HOME).size() / 2)
                .forEach(node -> node.server().kill());
    }

    /**
     * Seals home server by server, always the one that leads, since a standby refuses; what is left
     * when too few are left to lead is stopped.
     */
    void sealHome() throws InterruptedException {
        List<Fleet.Node> home = fleet.nodes(Side.HOME);
        for (int sealed = 0; sealed <= home.size() / 2; sealed++) {
            Fleet.Node leader = fleet.leader();
            leader.server().seal(fleet.rootToken());
            console.say(Console.Tone.ACT, leader.name() + " is sealed");
            // It steps down behind its answer.
            while (leader.server().health() == 200) {
                Thread.sleep(POLL);
            }
        }
        for (Fleet.Node node : home) {
            if (node.server().health() != 503) {
                node.server().kill();
                console.say(Console.Tone.ACT, node.name() + " is stopped");
            }
        }
    }

    /** What the operator does once the reason is gone: restarts them, and the key unseals. */
    void unsealHome() {
        console.say(Console.Tone.ACT, "the operator restarts home's servers, which unseals them");
        fleet.nodes(Side.HOME).forEach(node -> node.server().restart());
        fleet.leader();
    }

    /** Cuts every link from a place to home. */
    void cut(String place) {
        links.links(link -> link.place().equals(place) && link.host().startsWith("home-"))
                .forEach(Links.Link::cut);
    }

    /** Mends every link. */
    void mendAll() {
        tell(Console.Tone.GOOD, "links are mended");
        links.links(link -> true).forEach(Links.Link::mend);
    }

    /** Waits until an incident is open and a person was asked. */
    void awaitAsked() throws Exception {
        await(
                "an incident that waits for a person",
                () ->
                        newest().filter(i -> i.approval() instanceof Approval.Waiting)
                                .map(i -> "incident " + i.id() + " waits for a person"));
        mark("a person is asked");
    }

    /** Waits until an evaluation comes to this verdict and diagnosis. */
    void awaitVerdict(String verdict, String diagnosis) throws Exception {
        await(
                "the verdict " + verdict + " on " + diagnosis,
                () ->
                        ledger.assessment()
                                .filter(it -> it.verdict().equals(verdict))
                                .filter(it -> it.diagnosis().equals(diagnosis))
                                .map(it -> "verdict " + it.verdict() + " on " + it.diagnosis()));
        mark(verdict);
    }

    /** Waits until the incident is closed, and where DR took over until clients write there. */
    void awaitEnd(Outcome outcome) throws Exception {
        await(
                "the end of the incident, as " + outcome,
                () ->
                        newest().filter(i -> i.outcome() != Outcome.OPEN)
                                .map(i -> "incident " + i.id() + " is closed: " + i.outcome()));
        if (outcome == Outcome.COMPLETED
                && newest().filter(i -> i.outcome() == Outcome.COMPLETED).isPresent()) {
            Instant since = struck().orElseThrow();
            await(
                    "the first write on the DR side",
                    () ->
                            resolver.side() == Side.DR
                                    ? writer.firstAcknowledged(Side.DR, since)
                                            .map(first -> "clients write on the DR side")
                                    : Optional.empty());
        }
    }

    /** Asks Control for something, as the operator. */
    void operate(String action, String reason) {
        var request = Json.MAPPER.createObjectNode();
        request.put("action", action).put("by", "the rehearsal's operator").put("reason", reason);
        if (action.equals("approve") || action.equals("reject")) {
            newest().ifPresent(i -> request.put("epoch", i.epoch().value()));
        }
        var answer = world.invoke(function("control"), "operate", request.toString());
        if (answer.error().isPresent() || !answer.payload().contains("\"DONE\"")) {
            throw new IllegalStateException(
                    "Control did not " + action + ": " + answer.error() + " " + answer.payload());
        }
        console.say(Console.Tone.ACT, "operator: " + action + ", " + reason);
        mark("operator: " + action);
    }

    /** Asks for another proof of a snapshot that has one, as an operator does. */
    Proof proveAgain(String snapshot) throws Exception {
        Optional<Proof> before = buckets.proof(snapshot);
        world.invokeAsync(
                Configuration.DR,
                function("prove-snapshot"),
                "live",
                "{\"snapshot\":\"" + snapshot + "\"}");
        return awaitProof(snapshot, before);
    }

    /** Calls home's API at its leader with all rights, as whoever runs the service can. */
    BaoServer.Answer home(String method, String path) {
        return fleet.leader().server().call(method, path, fleet.rootToken(), null);
    }

    /** Calls home's API at its leader with all rights and a body. */
    BaoServer.Answer home(String method, String path, Map<String, ?> body) {
        return fleet.leader().server().call(method, path, fleet.rootToken(), body);
    }

    /** Mounts a KV engine of version 2 at home; it takes a moment to be ready. */
    void mountSecrets(String engine) throws Exception {
        home("POST", "sys/mounts/" + engine, Map.of("type", "kv-v2")).expect();
        await(
                "engine " + engine,
                () ->
                        home("GET", engine + "/config").status() == 200
                                ? Optional.of("home has the engine " + engine)
                                : Optional.empty());
    }

    /** Writes a version of a secret of an engine at home. */
    void writeSecret(String engine, String name, Map<String, ?> value) {
        home("POST", engine + "/data/" + name, Map.of("data", value)).expect();
    }

    /** The ARN of the key that signs the drills' reports. */
    String drillKey() {
        try (var kms = world.aws().at(KmsClient.builder(), Configuration.DR).build()) {
            return kms.describeKey(it -> it.keyId("alias/" + function("drill")))
                    .keyMetadata()
                    .arn();
        }
    }

    /** Puts another key in the place of the seal's, as a deployment with the wrong one has it. */
    void replaceSealKey() {
        byte[] key = new byte[32];
        new SecureRandom().nextBytes(key);
        sealKey(Base64.getEncoder().encodeToString(key));
        tell(Console.Tone.BAD, "the seal's key is another one");
    }

    /** Puts the seal's own key back. */
    void putSealKeyBack() {
        sealKey(fleet.sealKey());
        tell(Console.Tone.GOOD, "the seal's key is the right one again");
    }

    private void sealKey(String key) {
        try (var secrets =
                world.aws().at(SecretsManagerClient.builder(), Configuration.DR).build()) {
            secrets.putSecretValue(it -> it.secretId(Configuration.SEAL_KEY).secretString(key));
        }
    }

    /**
     * Turns bits in the middle of all of a region's archives that are newer than a snapshot's: the
     * schedule may have taken one besides what the scenario took.
     */
    void corruptNewerThan(String region, Manifest snapshot) {
        buckets.listed(region).stream()
                .takeWhile(one -> !one.id().equals(snapshot.id()))
                .forEach(one -> corrupt(region, one));
    }

    /** Turns bits in the middle of a snapshot's archive in a region's bucket. */
    void corrupt(String region, Manifest snapshot) {
        S3Client s3 = buckets.s3(region);
        byte[] archive =
                s3.getObjectAsBytes(
                                it -> it.bucket(Buckets.name(region)).key(snapshot.archiveKey()))
                        .asByteArray();
        for (int i = archive.length / 2; i < archive.length / 2 + 64; i++) {
            archive[i] ^= 0x55;
        }
        s3.putObject(
                it -> it.bucket(Buckets.name(region)).key(snapshot.archiveKey()),
                RequestBody.fromBytes(archive));
        damaged.add(snapshot.id());
        tell(Console.Tone.BAD, snapshot.id() + " is damaged in " + region);
    }

    /** Kills the function that promotes as soon as it has initialised the standby. */
    void killInPromotion() {
        Thread.ofPlatform()
                .daemon()
                .start(
                        () -> {
                            try {
                                var standby = fleet.nodes(Side.DR).getFirst().server();
                                while (true) {
                                    int health = standby.health();
                                    if (health != 501 && health != 0) {
                                        break;
                                    }
                                    Thread.sleep(100);
                                }
                                int killed = world.kill(Configuration.DR, function("promote"));
                                mark("kill -9 for the function that promotes");
                                console.say(
                                        Console.Tone.BAD,
                                        "── kill -9 for the function that promotes, " + killed);
                                check("promotion killed", killed == 1);
                            } catch (InterruptedException e) {
                                Thread.currentThread().interrupt();
                            }
                        });
    }

    /** Slows home's links and begins a snapshot over them; returns once it is being read. */
    void beginSlowSnapshot() throws Exception {
        Manifest before = buckets.listed(Configuration.DR).getFirst();
        long bytesPerSecond = Math.max(16 * 1024, before.bytes() / 6);
        links.links(
                        link ->
                                link.place().equals(Configuration.HOME)
                                        && link.host().startsWith("home-"))
                .forEach(link -> link.slow(bytesPerSecond));
        console.say(
                Console.Tone.ACT,
                "home's links carry " + bytesPerSecond / 1024 + " KiB/s; a snapshot begins");
        world.invokeAsync(Configuration.HOME, function("take-snapshot"), "live", scheduledEvent());
        Thread.sleep(3_000);
        if (!buckets.listed(Configuration.DR).getFirst().equals(before)) {
            throw new IllegalStateException("the slowed snapshot was committed too early");
        }
    }

    /** Waits for a snapshot that was taken after the first harm. */
    void awaitSnapshotAfterStrike() throws Exception {
        Instant since = struck().orElseThrow();
        await(
                "a snapshot after the leader was lost",
                () ->
                        buckets.listed(Configuration.DR).stream()
                                .filter(it -> it.takenAt().isAfter(since))
                                .findFirst()
                                .map(it -> "snapshot " + it.id() + " is committed"));
        check("a snapshot was committed after the leader was lost", true);
    }
}
