package io.vaultdr.rehearsal;

import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.aws.DynamoDbLedger;
import io.vaultdr.cluster.VaultSetup;
import io.vaultdr.model.Side;
import io.vaultdr.model.Slots;
import io.vaultdr.rehearsal.Console.Tone;
import io.vaultdr.rehearsal.world.Instance;
import io.vaultdr.rehearsal.world.World;
import io.vaultdr.runtime.Json;
import io.vaultdr.vault.Login;

import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.autoscaling.AutoScalingClient;
import software.amazon.awssdk.services.autoscaling.model.InstanceRefresh;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The world in which a made cluster lives, and what a scenario can do to it. */
final class ClusterStage extends Scene {
    /** What machines may take beside what is counted in slots: starts, joining, voting. */
    private static final Duration HEALING = Duration.ofMinutes(4);

    /** The schedules' minutes, balancers' checks and status checks in a healing, in slots. */
    private static final int HEALING_SLOTS = 6 * Slots.WINDOW;

    static final String WHOLE = "five voters in service, and nobody else is a peer";
    static final String TOLERANT = "a fault tolerance of two";

    private final ClusterMachines machines;
    private volatile Server server;
    private final Server standby;
    private final Path scratch;
    private final AutoScalingClient groups;
    private final String group = ClusterConfiguration.group(Side.HOME);
    private final AtomicInteger fewestVoters = new AtomicInteger(ClusterConfiguration.NODES);

    /** A server of the Raft configuration. */
    record Peer(String id, boolean voter, boolean leader) {}

    /**
     * @param server home's API by its balancer, without a token
     * @param standby the same of the DR side
     * @param scratch where functions and nodes write their logs
     */
    ClusterStage(
            Console console,
            World world,
            ClusterMachines machines,
            Server server,
            Server standby,
            Path scratch,
            DynamoDbLedger ledger,
            Slots slots,
            Supplier<List<Story.Page>> pages) {
        super(console, world, ledger, slots, pages);
        this.machines = machines;
        this.server = server;
        this.standby = standby;
        this.scratch = scratch;
        this.groups =
                AutoScalingClient.builder()
                        .region(Region.of(Configuration.HOME))
                        .endpointOverride(world.endpoint())
                        .httpClient(UrlConnectionHttpClient.create())
                        .credentialsProvider(
                                StaticCredentialsProvider.create(
                                        AwsBasicCredentials.create("operator", "unchecked")))
                        .build();
    }

    private Duration healing() {
        return slots.span(HEALING_SLOTS).plus(HEALING);
    }

    /** Home's instances with their states. */
    Map<Instance, String> instances() {
        return world.instances(Configuration.HOME, group);
    }

    /** The ids of home's instances. */
    Set<String> ids() {
        return instances().keySet().stream()
                .map(Instance::id)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** Home's Raft configuration, as whoever leads tells it. */
    Optional<List<Peer>> peers() {
        return server.tells("GET", "sys/storage/raft/configuration")
                .map(
                        data -> {
                            List<Peer> peers = new ArrayList<>();
                            for (JsonNode it : data.path("config").path("servers")) {
                                peers.add(
                                        new Peer(
                                                it.path("node_id").asText(),
                                                it.path("voter").asBoolean(),
                                                it.path("leader").asBoolean()));
                            }
                            if (struck().isPresent()) {
                                int voters = (int) peers.stream().filter(Peer::voter).count();
                                fewestVoters.accumulateAndGet(voters, Math::min);
                            }
                            return peers;
                        });
    }

    /** Notes that since the first harm nobody has seen fewer voters in the configuration. */
    void checkNeverFewer(int voters) {
        check("never fewer than " + voters + " voters", fewestVoters.get() >= voters);
    }

    /** The instance whose node leads. */
    String leader() throws Exception {
        var found = new ArrayList<String>();
        await(
                "a leader",
                () ->
                        peers().flatMap(all -> all.stream().filter(Peer::leader).findFirst())
                                .map(
                                        it -> {
                                            found.add(it.id());
                                            return it.id() + " leads";
                                        }));
        return found.getLast();
    }

    /** The zone in which the leader and another node run. */
    String fullestZone() throws Exception {
        String leader = leader();
        Map<String, Long> perZone =
                instances().keySet().stream()
                        .collect(Collectors.groupingBy(Instance::zone, Collectors.counting()));
        String leaders =
                instances().keySet().stream()
                        .filter(it -> it.id().equals(leader))
                        .map(Instance::zone)
                        .findFirst()
                        .orElseThrow();
        return perZone.getOrDefault(leaders, 0L) > 1
                ? leaders
                : perZone.entrySet().stream()
                        .max(Map.Entry.comparingByValue())
                        .orElseThrow()
                        .getKey();
    }

    /** Those of home's instances that run in a zone. */
    Set<String> in(String zone) {
        return instances().keySet().stream()
                .filter(it -> it.zone().equals(zone))
                .map(Instance::id)
                .collect(Collectors.toSet());
    }

    /** All of home's instances but so many of those that don't lead. */
    Set<String> allBut(int few) throws Exception {
        String leader = leader();
        Set<String> all = ids();
        ids().stream().filter(it -> !it.equals(leader)).limit(few).forEach(all::remove);
        return all;
    }

    /** The secret id by which snapshots are taken, as a region's secret holds it. */
    String login(String region) throws IOException {
        String id = Configuration.LOGIN + "/snapshot";
        try (SecretsManagerClient secrets =
                world.aws().at(SecretsManagerClient.builder(), region).build()) {
            return Json.MAPPER
                    .readTree(secrets.getSecretValue(it -> it.secretId(id)).secretString())
                    .path("secret_id")
                    .asText();
        }
    }

    /** Destroys that secret id at the server. */
    void destroyLogin(String secretId) throws IOException {
        server.must(
                "POST",
                VaultSetup.role(Login.Intent.SNAPSHOT).path() + "/secret-id/destroy",
                Map.of("secret_id", secretId));
    }

    /** Whether none of these stands in what functions and nodes have written. */
    boolean unlogged(String... secrets) throws IOException {
        try (Stream<Path> files = Files.walk(scratch)) {
            for (Path file : files.filter(it -> it.toString().endsWith(".log")).toList()) {
                String text = Files.readString(file);
                if (Stream.of(secrets).anyMatch(text::contains)) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Cuts an instance's power. */
    void kill(String instance) {
        machines.end(instance);
    }

    /** Runs InitializeCluster by hand until it is done, as its schedule does every five minutes. */
    void initialise() throws Exception {
        await(
                "the end of the initialisation",
                healing(),
                () -> {
                    var answer =
                            world.invoke(
                                    Configuration.HOME,
                                    Stage.function("initialize-cluster"),
                                    "live",
                                    Backstage.EVENT);
                    console.say(
                            Tone.SOFT,
                            "InitializeCluster: "
                                    + answer.error().map(it -> it + " ").orElse("")
                                    + answer.payload());
                    return answer.error().isEmpty() && answer.payload().contains("\"DONE\"")
                            ? Optional.of("the cluster is initialised")
                            : Optional.empty();
                });
    }

    /** A secret of the pair's cluster, where it has a value. */
    Optional<String> secret(String region, String name) {
        String id = Configuration.PREFIX + "/" + Configuration.PAIR + "/" + name;
        try (SecretsManagerClient secrets =
                world.aws().at(SecretsManagerClient.builder(), region).build()) {
            boolean filled =
                    !secrets.listSecretVersionIds(it -> it.secretId(id)).versions().isEmpty();
            return filled
                    ? Optional.ofNullable(
                            secrets.getSecretValue(it -> it.secretId(id)).secretString())
                    : Optional.empty();
        }
    }

    /** Waits until all of home's nodes are in service and vote, none of {@code gone} among them. */
    void awaitWhole(Set<String> gone) throws Exception {
        await(
                ClusterConfiguration.NODES + " voters in service, without " + gone,
                healing(),
                () -> whole(gone));
        check(WHOLE, true);
        await(
                "a fault tolerance of " + ClusterConfiguration.FAULT_TOLERANCE,
                () ->
                        server.tells("GET", "sys/storage/raft/autopilot/state")
                                .map(it -> it.path("failure_tolerance").asInt())
                                .filter(it -> it == ClusterConfiguration.FAULT_TOLERANCE)
                                .map(it -> "fault tolerance " + it));
        check(TOLERANT, true);
    }

    private Optional<String> whole(Set<String> gone) {
        Map<Instance, String> all = instances();
        Set<String> serving =
                all.entrySet().stream()
                        .filter(it -> it.getValue().equals("InService"))
                        .map(it -> it.getKey().id())
                        .collect(Collectors.toCollection(TreeSet::new));
        Set<String> voters =
                peers().stream()
                        .flatMap(List::stream)
                        .filter(Peer::voter)
                        .map(Peer::id)
                        .collect(Collectors.toCollection(TreeSet::new));
        boolean others = peers().filter(it -> it.size() == voters.size()).isEmpty();
        return all.size() == ClusterConfiguration.NODES
                        && serving.equals(voters)
                        && voters.size() == ClusterConfiguration.NODES
                        && !others
                        && voters.stream().noneMatch(gone::contains)
                ? Optional.of("five voters in service: " + voters)
                : Optional.empty();
    }

    /** Ends an instance as a person does, by its group. */
    void terminate(String instance) {
        groups.terminateInstanceInAutoScalingGroup(
                it -> it.instanceId(instance).shouldDecrementDesiredCapacity(false));
    }

    /**
     * Follows an instance that leaves, until it is gone: its peer has to be out of the
     * configuration before, and as a leader it has to have stood down while it ran.
     */
    void follow(String instance) throws Exception {
        var stood = new AtomicBoolean();
        var early = new AtomicBoolean();
        var seen = new AtomicReference<List<Peer>>(peers().orElse(List.of()));
        await(
                "the end of " + instance,
                healing(),
                () -> {
                    boolean there = ids().contains(instance);
                    peers().ifPresent(seen::set);
                    boolean peer = seen.get().stream().anyMatch(it -> it.id().equals(instance));
                    boolean leads =
                            seen.get().stream()
                                    .anyMatch(it -> it.leader() && it.id().equals(instance));
                    if (machines.serves(instance) && peer && !leads) {
                        stood.set(true);
                    }
                    if (!there && peer) {
                        early.set(true);
                    }
                    return there ? Optional.empty() : Optional.of(instance + " is gone");
                });
        check("the leader stood down first", stood.get());
        check("its peer was removed before its machine went", !early.get());
    }

    /** Waits until the termination hook holds all of {@code instances}. */
    void awaitHeld(Set<String> instances, int atLeast) throws Exception {
        await(
                "a termination that is held",
                () -> {
                    List<String> held =
                            instances().entrySet().stream()
                                    .filter(it -> it.getValue().equals("Terminating:Wait"))
                                    .map(it -> it.getKey().id())
                                    .filter(instances::contains)
                                    .toList();
                    return held.size() >= atLeast
                            ? Optional.of("held by the termination hook: " + held)
                            : Optional.empty();
                });
    }

    /** Starts an instance refresh as the image's pipeline does, and waits for its end. */
    void roll(String image) throws Exception {
        world.image(Configuration.HOME, group, image);
        String refresh =
                groups.startInstanceRefresh(it -> it.autoScalingGroupName(group))
                        .instanceRefreshId();
        await(
                "the end of the instance refresh",
                // One node after the other.
                healing().multipliedBy(ClusterConfiguration.NODES),
                () -> {
                    var _ = peers();
                    InstanceRefresh now =
                            groups.describeInstanceRefreshes(
                                            it ->
                                                    it.autoScalingGroupName(group)
                                                            .instanceRefreshIds(refresh))
                                    .instanceRefreshes()
                                    .getFirst();
                    return now.statusAsString().equals("InProgress")
                            ? Optional.empty()
                            : Optional.of("instance refresh: " + now.statusAsString());
                });
        check(
                "every instance has the new image",
                instances().keySet().stream().allMatch(it -> it.image().equals(image)));
    }

    /** Waits until somebody is paged with a subject that holds these words. */
    void awaitPage(String words) throws Exception {
        await(
                "a page: " + words,
                () ->
                        pages.get().stream()
                                .filter(it -> it.subject().contains(words))
                                .findFirst()
                                .map(it -> "somebody is paged: " + it.subject()));
        check("a page came: " + words, true);
    }

    /** Runs a function of home as its schedule does, and says what it answered. */
    JsonNode run(String purpose) {
        JsonNode answer = scheduled(Configuration.HOME, purpose);
        console.say(Tone.ACT, purpose + ": " + answer);
        return answer;
    }

    /** Waits until home's first machines answer as blank nodes by the load balancer. */
    void awaitBlank() throws Exception {
        await(
                "a blank node that answers",
                healing(),
                () -> {
                    int status = health(server);
                    return status == 501
                            ? Optional.of("home answers 501: blank, as its machines were started")
                            : Optional.empty();
                });
    }

    private static int health(Server of) {
        try {
            return of.call("GET", "sys/health", Map.of()).status();
        } catch (IOException e) {
            return 0;
        }
    }

    /**
     * Waits for a node that tells who leads, while others may be sealed yet; the way to that one.
     */
    Server door() throws Exception {
        var found = new ArrayList<Server>();
        await(
                "a node that tells who leads",
                () -> {
                    try {
                        BreakGlass.door(server).ifPresent(found::add);
                    } catch (IOException e) {
                        return Optional.empty();
                    }
                    return found.stream().findFirst().map(it -> "the leader's machine: " + it);
                });
        return found.getFirst();
    }

    /** From now on the Raft configuration is asked for with this token. */
    void watchWith(String token) {
        server = server.with(token);
    }

    /** Whether the DR side's standby is anything but blank. */
    boolean drInitialised() {
        return health(standby) != 501;
    }

    /** What runs on home's nodes. */
    String version() {
        try {
            return "OpenBao "
                    + server.call("GET", "sys/seal-status", Map.of())
                            .body()
                            .path("version")
                            .asText();
        } catch (IOException e) {
            return "OpenBao";
        }
    }

    /**
     * Waits until schedules have run for a window and nothing of what their functions' start held
     * up is left to be told: in compressed time they all start at once, as slowly as ever.
     */
    void awaitSteady() throws Exception {
        long since = slots.at(Instant.now());
        await(
                "an evaluation, a window later, that has nothing to tell",
                () ->
                        ledger.assessment()
                                .filter(it -> it.slot() >= since + Slots.WINDOW)
                                .filter(it -> it.missing().isEmpty() && it.told().isEmpty())
                                .map(it -> "schedules run, and nothing is to be told"));
    }

    /** Home's API with the watching person's token. */
    Server server() {
        return server;
    }
}
