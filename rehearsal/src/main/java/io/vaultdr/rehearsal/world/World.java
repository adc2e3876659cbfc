package io.vaultdr.rehearsal.world;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.model.Slots;
import io.vaultdr.rehearsal.world.Call.Need;
import io.vaultdr.rehearsal.world.Gateway.Message;
import io.vaultdr.rehearsal.world.Sandbox.Answer;
import io.vaultdr.rehearsal.world.TemplateApplier.Applied;
import io.vaultdr.rehearsal.world.WorldEvent.AlarmChanged;
import io.vaultdr.rehearsal.world.WorldEvent.CallDenied;
import io.vaultdr.rehearsal.world.WorldEvent.FaultHit;
import io.vaultdr.rehearsal.world.WorldEvent.FunctionLog;
import io.vaultdr.rehearsal.world.WorldEvent.InstanceChanged;
import io.vaultdr.rehearsal.world.WorldEvent.MetricPut;
import io.vaultdr.rehearsal.world.WorldEvent.Paged;
import io.vaultdr.rehearsal.world.WorldEvent.RefreshChanged;
import io.vaultdr.rehearsal.world.WorldEvent.RegionLost;
import io.vaultdr.rehearsal.world.WorldEvent.RegionRestored;
import io.vaultdr.rehearsal.world.WorldEvent.ScheduleFired;
import io.vaultdr.rehearsal.world.WorldEvent.Undelivered;
import io.vaultdr.runtime.Json;

import org.jspecify.annotations.Nullable;

import software.amazon.awssdk.services.route53.Route53Client;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sns.SnsClient;

import java.net.InetAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * An AWS account of one machine's size: what the synthesised templates describe, with functions in
 * JVMs of their own, alarms and schedules that fire, machines that run, and regions that can be
 * lost. Nothing of it knows what the functions are for.
 */
public final class World implements AutoCloseable {
    /**
     * What a world is made of.
     *
     * @param root the project's folder; its {@code .vault-dr/venv} holds moto
     * @param scratch a fresh folder for logs and temporary files
     * @param slot the length of a slot; anything but ten seconds is applied over the templates
     * @param hostsFile region → hosts file of the JVMs there
     * @param events hears what happens, from many threads; it must be quick
     */
    public record Setup(
            Path root,
            Path scratch,
            Duration slot,
            Function<String, Path> hostsFile,
            Machines machines,
            ProcessStarter processes,
            Consumer<WorldEvent> events) {}

    /** A resource, or part of one, that the rehearsal doesn't make, and why. */
    public record NotApplied(String stack, String logicalId, String type, String why) {}

    /** A call that the function's role doesn't grant. */
    public record DeniedCall(String function, String action, String resource) {}

    /** How an invocation ended; {@code payload} is the answer or the error's JSON. */
    public record Result(String payload, java.util.Optional<String> error) {}

    /** An address of Route 53's published ranges of health checkers. */
    private static final String CHECKER = "54.183.255.130";

    private static final Duration GROUPS_LOOK = Duration.ofMillis(200);

    private final Setup setup;
    private final Gateway gateway = new Gateway();
    private final MotoServer moto;
    private final SdkClients aws;
    private final Metrics metrics = new Metrics();
    private final LambdaHost host;
    private final Compression compression;
    private final Executions executions;
    private final Network network = Network.take();
    private final Groups groups;
    private final Map<String, LoadBalancer> loadBalancers = new ConcurrentHashMap<>();
    private final Map<String, S3Client> checkers = new ConcurrentHashMap<>();
    private final Set<DeniedCall> denied = ConcurrentHashMap.newKeySet();
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private volatile @Nullable Applied applied;
    private volatile EventRules rules = new EventRules(List.of());
    private volatile boolean closed;

    private World(Setup setup) {
        this.setup = setup;
        compression = new Compression(setup.slot);
        moto =
                MotoServer.start(
                        setup.root.resolve(".vault-dr/venv"),
                        setup.scratch,
                        gateway.port(),
                        setup.processes);
        gateway.moto(moto.endpoint());
        aws = new SdkClients(moto.endpoint(), "rehearsal");
        executions = new Executions(aws, metrics, setup.events, threads);
        host =
                new LambdaHost(
                        new LambdaHost.Setup(
                                setup.scratch,
                                FunctionCode.keptIn(
                                        setup.root.resolve(".vault-dr/functions"),
                                        new FunctionCode.Training(
                                                setup.root.resolve(".vault-dr/venv"),
                                                setup.processes)),
                                gateway.endpoint(),
                                setup.hostsFile,
                                setup.processes,
                                this::line,
                                this::happened,
                                this::failed,
                                compression.pace()));
        groups =
                new Groups(
                        setup.machines,
                        network,
                        Clock.systemUTC(),
                        compression.pace(),
                        new GroupListener());
        gateway.invoker(this::invoked);
        gateway.grants(this::granted);
        gateway.onFault(
                host::killCaller,
                (fault, call) ->
                        happened(
                                new FaultHit(
                                        Instant.now(),
                                        fault.name(),
                                        call.function(),
                                        call.toString())));
        gateway.onObject(this::told);
        gateway.observe("monitoring", "PutMetricData", this::metricPut);
        gateway.observe("sns", "Publish", this::published);
        gateway.observe(
                "states", "StartExecution", (call, request, answer) -> started(call, answer));
    }

    /** Starts moto and the gateway; nothing is in them yet. */
    public static World start(Setup setup) {
        return new World(setup);
    }

    /** Makes a public hosted zone, which is the customer's and in no template; returns its id. */
    public String createHostedZone(String name) {
        try (Route53Client client = aws.at(Route53Client.builder(), "aws-global").build()) {
            // AWS' ids begin with Z, and the configuration is held to that; moto's only at times.
            for (int attempt = 0; attempt < 1000; attempt++) {
                String reference = name + "-" + attempt;
                String id =
                        client.createHostedZone(z -> z.name(name).callerReference(reference))
                                .hostedZone()
                                .id()
                                .replaceFirst("^/hostedzone/", "");
                if (id.startsWith("Z")) {
                    return id;
                }
                client.deleteHostedZone(z -> z.id(id));
            }
            throw new IllegalStateException("moto made a thousand zones, none with an id as AWS'");
        }
    }

    /** Makes what the synthesised app in {@code assembly} describes. */
    public void apply(Path assembly) {
        apply(assembly, Map.of());
    }

    /** Elsewhere, where the zone of the records isn't: it is the customer's and in no template. */
    private void applyButForRecords(
            SdkClients elsewhere, Path assembly, Map<String, String> parameters) {
        List<Template> templates = Template.read(assembly);
        for (Template template : templates) {
            template.resources()
                    .values()
                    .removeIf(it -> it.path("Type").asText().equals("AWS::Route53::RecordSet"));
        }
        new TemplateApplier(elsewhere, compression, templates, parameters).apply();
    }

    /**
     * Makes what the synthesised app in {@code assembly} describes.
     *
     * @param parameters what whoever deploys gives for the templates' parameters
     */
    public void apply(Path assembly, Map<String, String> parameters) {
        Applied all =
                new TemplateApplier(aws, compression, Template.read(assembly), parameters).apply();
        all.bucketRegions().forEach(gateway::bucket);
        new RunCommand(setup.machines, all.documents(), this::happened).join(gateway);
        new AutoScaling(groups, setup.machines, this::happened).join(gateway);
        new Ec2(groups, setup.machines).join(gateway);
        host.prepare(
                all.functions().values(),
                elsewhere -> applyButForRecords(elsewhere, assembly, parameters));
        rules = new EventRules(all.rules());
        for (LoadBalancer.Spec spec : all.loadBalancers()) {
            loadBalancers.put(
                    spec.targetGroup(),
                    new LoadBalancer(
                            spec,
                            network.nextBalancer(),
                            instance -> setup.machines.runs(instance.id()),
                            this::happened));
        }
        applied = all;
    }

    /** The addresses that the first load balancers get, which their certificates may hold. */
    public List<InetAddress> balancerAddresses(int count) {
        return IntStream.rangeClosed(1, count).mapToObj(network::balancer).toList();
    }

    /**
     * What isn't real of groups and load balancers: what it is, how long it takes here, and where
     * that comes from.
     *
     * @param pace how much shorter than on AWS it takes
     */
    public static List<Modelled> modelledOfGroups(double pace) {
        return List.of(
                new Modelled(
                        "from an instance's launch to its boot script",
                        shorter(Groups.BOOT, pace),
                        "29 s from RunInstances to an open port 22: C. Percival, \"EC2 boot time"
                                + " benchmarking\", 2021"),
                new Modelled(
                        "until a group knows that an instance has failed",
                        shorter(Groups.UNWELL, pace),
                        "Amazon EC2 User Guide, \"Status checks\": performed every minute"),
                new Modelled(
                        "an Auto Scaling group",
                        "ours: hooks, zones, replacement, refresh",
                        "Amazon EC2 Auto Scaling User Guide, \"How lifecycle hooks work\" and"
                                + " \"Instance maintenance policies\""),
                new Modelled(
                        "a Network Load Balancer",
                        "a relay on one address; its health checks are real",
                        "the target group in the template"),
                new Modelled(
                        "how a node finds the others",
                        "by its own request of EC2, answered here",
                        "DescribeInstances by the instances' tag"),
                new Modelled(
                        "a machine's file system",
                        "a folder; paths that nodes and functions are told are moved into it",
                        "all machines share this one's"));
    }

    /** Something that isn't real. */
    public record Modelled(String name, String value, String source) {}

    private static String shorter(Duration onAws, double pace) {
        return Math.round(onAws.toMillis() * pace) / 1000.0 + " s";
    }

    /** From now on the templates' groups launch instances and look after them. */
    public void startGroups() {
        all().groups().forEach(groups::add);
        threads.execute(this::runGroups);
    }

    private void runGroups() {
        try {
            while (!closed) {
                groups.tick();
                Thread.sleep(GROUPS_LOOK);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Tells EventBridge, load balancers and listeners what happens in groups. */
    private final class GroupListener implements Groups.Listener {
        @Override
        public void held(Instance instance, GroupSpec.Hook hook, String token) {
            emit(instance.region(), EventRules.ofHook(instance, hook, token, Instant.now()));
        }

        @Override
        public void changed(Instance instance, String state) {
            happened(
                    new InstanceChanged(
                            Instant.now(),
                            instance.region(),
                            instance.group(),
                            instance.id(),
                            instance.zone(),
                            state));
        }

        @Override
        public void target(Instance instance, List<String> targetGroups, boolean registered) {
            for (String arn : targetGroups) {
                LoadBalancer balancer = loadBalancers.get(arn);
                if (balancer != null && registered) {
                    balancer.register(instance);
                } else if (balancer != null) {
                    balancer.deregister(instance);
                }
            }
        }

        @Override
        public void refreshed(String region, String group, String refresh, String what) {
            happened(new RefreshChanged(Instant.now(), region, group, what));
            emit(region, EventRules.ofRefresh(region, group, refresh, what, Instant.now()));
        }
    }

    /**
     * The names of load balancers' alias records, each with the address that a look-up gives.
     *
     * @return sorted by name
     */
    public Map<String, InetAddress> names() {
        Map<String, InetAddress> names = new TreeMap<>();
        all().aliasRecords()
                .forEach(
                        (name, dns) ->
                                loadBalancers.values().stream()
                                        .filter(it -> dns.endsWith(it.spec().dnsName()))
                                        .forEach(it -> names.put(name, it.address())));
        return names;
    }

    /** The instances of a group with their states, in the order in which they were launched. */
    public Map<Instance, String> instances(String region, String group) {
        Map<Instance, String> instances = new LinkedHashMap<>();
        groups.view(region, group)
                .instances()
                .forEach(it -> instances.put(it.instance(), it.state().toString()));
        return instances;
    }

    /** Takes a zone away: its machines die, and none starts in it. */
    public void loseZone(String zone) {
        groups.loseZone(zone);
        happened(new WorldEvent.ZoneLost(Instant.now(), zone));
    }

    /** What a group launches from now on. */
    public void image(String region, String group, String image) {
        groups.image(region, group, image);
    }

    /** From now on schedules fire and alarms are evaluated. */
    public void startClock() {
        Applied all = all();
        Slots slots = new Slots(setup.slot);
        Instant begin = Instant.now();
        AlarmClock alarms = new AlarmClock(metrics, all.alarms(), begin);
        threads.execute(
                () -> {
                    try {
                        for (long slot = slots.at(begin) + 1; !closed; slot++) {
                            Instant time = slots.start(slot);
                            Thread.sleep(
                                    Duration.between(Instant.now(), time).isNegative()
                                            ? Duration.ZERO
                                            : Duration.between(Instant.now(), time));
                            tick(time, slot, all, alarms);
                        }
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                });
    }

    private void tick(Instant time, long slot, Applied all, AlarmClock alarms) {
        boolean minute = time.equals(time.truncatedTo(ChronoUnit.MINUTES));
        for (TemplateApplier.Timer timer : all.timers()) {
            boolean due =
                    timer.schedule().isEveryMinute()
                            ? Math.floorMod(slot, 6) == 0
                            : minute && timer.schedule().firesAt(time);
            if (due && !gateway.isLost(timer.region())) {
                fire(time, timer);
            }
        }
        for (AlarmClock.Change change : alarms.evaluate(time)) {
            AlarmClock.Alarm alarm = change.alarm();
            if (!gateway.isLost(alarm.region())) {
                happened(
                        new AlarmChanged(
                                Instant.now(),
                                alarm.region(),
                                alarm.name(),
                                change.from().name(),
                                change.to().name(),
                                change.reason()));
                for (String action : alarm.actions().getOrDefault(change.to(), List.of())) {
                    threads.execute(() -> act(change, action));
                }
            }
        }
    }

    private void fire(Instant time, TemplateApplier.Timer timer) {
        happened(new ScheduleFired(Instant.now(), timer.region(), timer.name()));
        for (TemplateApplier.Target target : timer.targets()) {
            String event = target.input().orElseGet(() -> scheduled(time, timer));
            if (target.arn().contains(":lambda:")) {
                deliver(target.arn(), event, "events.amazonaws.com", timer.arn(), timer.name());
            } else if (target.arn().contains(":states:")) {
                threads.execute(() -> startExecution(timer, target.arn(), event));
            } else {
                throw new IllegalArgumentException(
                        timer.name() + ": a rule's target " + target.arn() + " isn't known here");
            }
        }
    }

    private static String scheduled(Instant time, TemplateApplier.Timer timer) {
        ObjectNode event = Json.MAPPER.createObjectNode();
        event.put("version", "0").put("id", UUID.randomUUID().toString());
        event.put("detail-type", "Scheduled Event").put("source", "aws.events");
        event.put("account", MotoServer.ACCOUNT);
        event.put("time", time.truncatedTo(ChronoUnit.SECONDS).toString());
        event.put("region", timer.region());
        event.putArray("resources").add(timer.arn());
        event.putObject("detail");
        return event.toString();
    }

    private void startExecution(TemplateApplier.Timer timer, String machine, String input) {
        try (SfnClient client = aws.at(SfnClient.builder(), timer.region()).build()) {
            executions.watch(
                    timer.region(),
                    client.startExecution(
                                    e ->
                                            e.stateMachineArn(machine)
                                                    .name(UUID.randomUUID().toString())
                                                    .input(input))
                            .executionArn());
        }
    }

    private void act(AlarmClock.Change change, String action) {
        AlarmClock.Alarm alarm = change.alarm();
        if (action.contains(":lambda:")) {
            for (int copy = 0; copy < gateway.faults().alarmCopies(); copy++) {
                deliver(
                        action,
                        change.forFunction(),
                        "lambda.alarms.cloudwatch.amazonaws.com",
                        alarm.arn(),
                        alarm.name());
            }
        } else if (action.contains(":sns:")) {
            String subject = change.to() + ": \"" + alarm.name() + "\" in " + alarm.region();
            try (SnsClient client = aws.at(SnsClient.builder(), alarm.region()).build()) {
                client.publish(p -> p.topicArn(action).subject(subject).message(change.forTopic()));
            }
            happened(new Paged(Instant.now(), alarm.region(), action, subject, change.forTopic()));
        } else {
            throw new IllegalArgumentException(
                    alarm.name() + ": an alarm's action " + action + " isn't known here");
        }
    }

    /** What S3 tells EventBridge, and EventBridge the rules' targets. */
    private void told(String path, EventRules.ObjectEvent what) {
        String[] parts = path.split("/", 3);
        Applied all = applied;
        if (all == null || parts.length < 3 || !all.bucketsThatTell().contains(parts[1])) {
            return;
        }
        String region = Objects.requireNonNull(all.bucketRegions().get(parts[1]));
        emit(region, EventRules.ofObject(region, parts[1], parts[2], what, Instant.now()));
    }

    /** Hands an event to the targets of the rules that match it. */
    private void emit(String region, String event) {
        if (gateway.isLost(region)) {
            return;
        }
        for (EventRules.Rule rule : rules.matching(region, event)) {
            for (TemplateApplier.Target target : rule.to()) {
                deliver(
                        target.arn(),
                        target.input().orElse(event),
                        "events.amazonaws.com",
                        rule.arn(),
                        "rule " + rule.name());
            }
        }
    }

    /** Invokes a function for a service, if the function's own policy lets that service do so. */
    private void deliver(
            String arn, String event, String principal, String source, String trigger) {
        boolean permitted =
                all().permissions().stream()
                        .anyMatch(
                                p ->
                                        p.function().equals(arn)
                                                && p.principal().equals(principal)
                                                && (p.source().isEmpty()
                                                        || p.source().equals(source)));
        if (!permitted) {
            deny(trigger, "lambda:InvokeFunction", arn);
            return;
        }
        String[] parts = arn.split(":", -1);
        host.invokeLater(function(arn), parts.length > 7 ? parts[7] : "", event, trigger);
    }

    /** Everything that isn't made, and why. */
    public List<NotApplied> notApplied() {
        return all().notApplied().stream()
                .map(n -> new NotApplied(n.stack(), n.logicalId(), n.type(), n.why()))
                .toList();
    }

    /** What the shorter slot changed in the templates, a sentence each; empty without one. */
    public List<String> compressed() {
        return compression.changes();
    }

    /** The functions of all regions. */
    public Collection<FunctionSpec> functions() {
        return all().functions().values();
    }

    /**
     * Invokes the only function of this name and waits.
     *
     * @param qualifier a version or an alias
     */
    public Result invoke(String function, String qualifier, String event) {
        return invoke(only(function), qualifier, event);
    }

    /** Invokes the function of this name in {@code region} and waits. */
    public Result invoke(String region, String function, String qualifier, String event) {
        return invoke(function(arn(region, function)), qualifier, event);
    }

    private Result invoke(FunctionSpec function, String qualifier, String event) {
        try {
            Answer answer = host.invoke(function, qualifier, event, "rehearsal");
            return new Result(answer.payload(), answer.error());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while " + function.name() + " ran", e);
        }
    }

    /** Invokes the only function of this name as an event does: at once back, and repeated. */
    public void invokeAsync(String function, String qualifier, String event) {
        host.invokeLater(only(function), qualifier, event, "rehearsal");
    }

    /** Invokes the function of this name in {@code region} as an event does. */
    public void invokeAsync(String region, String function, String qualifier, String event) {
        host.invokeLater(function(arn(region, function)), qualifier, event, "rehearsal");
    }

    private static String arn(String region, String function) {
        return "arn:aws:lambda:" + region + ":" + MotoServer.ACCOUNT + ":function:" + function;
    }

    private FunctionSpec only(String name) {
        List<FunctionSpec> found = functions().stream().filter(f -> f.name().equals(name)).toList();
        if (found.size() != 1) {
            throw new IllegalArgumentException(
                    name
                            + ": expected one function of this name, there are "
                            + found.stream().map(FunctionSpec::arn).toList());
        }
        return found.getFirst();
    }

    private FunctionSpec function(String arn) {
        String plain = String.join(":", List.of(arn.split(":", -1)).subList(0, 7));
        FunctionSpec function = all().functions().get(plain);
        if (function == null) {
            throw new IllegalArgumentException("no function " + plain);
        }
        return function;
    }

    private Applied all() {
        Applied all = applied;
        if (all == null) {
            throw new IllegalStateException("nothing is applied yet: call apply first");
        }
        return all;
    }

    /** Takes a region away: its functions die, its clocks stop, calls signed for it hang. */
    public void loseRegion(String region) {
        gateway.lose(region);
        host.lose(region);
        groups.loseRegion(region);
        happened(new RegionLost(Instant.now(), region));
    }

    /** Gives a region back, with the state that it had. */
    public void restoreRegion(String region) {
        host.restore(region);
        gateway.restore(region);
        groups.restoreRegion(region);
        happened(new RegionRestored(Instant.now(), region));
    }

    /** Whether the region is lost at present. */
    public boolean isLost(String region) {
        return gateway.isLost(region);
    }

    /** What a scenario breaks. */
    public Faults faults() {
        return gateway.faults();
    }

    /** Kills every JVM of a function, as kill -9 does; says how many there were. */
    public int kill(String region, String function) {
        return host.kill(function(arn(region, function)));
    }

    /** Clients that see the state as it is, lost regions and faults notwithstanding. */
    public SdkClients aws() {
        return aws;
    }

    /** Where AWS calls go that shall meet lost regions. */
    public URI endpoint() {
        return gateway.endpoint();
    }

    /** The calls that roles didn't grant, each once. */
    public List<DeniedCall> callsNotGranted() {
        return List.copyOf(denied);
    }

    /**
     * Gets an object as Route 53's health checkers do, without a signature: the bucket's policy
     * decides. Empty when there is no answer.
     *
     * @return the HTTP status
     */
    public OptionalInt anonymousGet(String region, String bucket, String key) {
        if (isLost(region)) {
            return OptionalInt.empty();
        }
        Policy policy = all().bucketPolicies().get(bucket);
        Map<String, List<String>> context =
                Map.of(
                        "aws:SourceIp", List.of(CHECKER),
                        "aws:SecureTransport", List.of("true"),
                        "s3:TlsVersion", List.of("1.3"));
        if (policy == null
                || !policy.grantsEveryone(
                        "s3:GetObject", "arn:aws:s3:::" + bucket + "/" + key, context)) {
            return OptionalInt.of(403);
        }
        S3Client client =
                checkers.computeIfAbsent(region, r -> aws.at(S3Client.builder(), r).build());
        try {
            client.headObject(h -> h.bucket(bucket).key(key));
            return OptionalInt.of(200);
        } catch (S3Exception e) {
            // Whoever may not list the bucket isn't told that an object doesn't exist.
            return OptionalInt.of(e.statusCode() == 404 ? 403 : e.statusCode());
        }
    }

    /**
     * Lets S3 act by a bucket's lifecycle rules, which it does within days: of those that move what
     * carries a tag at once.
     *
     * @return the keys of what was moved to another class
     */
    public List<String> moveTagged(String region, String bucket) {
        JsonNode rules = all().lifecycles().get(bucket);
        if (rules == null) {
            throw new IllegalArgumentException(bucket + ": no template gives it lifecycle rules");
        }
        try (S3Client s3 = aws.at(S3Client.builder(), region).build()) {
            return Lifecycle.move(s3, bucket, rules);
        }
    }

    private Message invoked(
            Call call, String name, String qualifier, boolean event, byte[] payload) {
        String[] parts = name.split(":", -1);
        String arn = name.startsWith("arn:") ? name : arn(call.region(), parts[0]);
        String[] arnParts = arn.split(":", -1);
        String by =
                !qualifier.isEmpty()
                        ? qualifier
                        : arnParts.length > 7 ? arnParts[7] : parts.length == 2 ? parts[1] : "";
        String text = new String(payload, StandardCharsets.UTF_8);
        String id = UUID.randomUUID().toString();
        try {
            if (call.function().isEmpty() && !machineMayInvoke(call, arn)) {
                deny("states", "lambda:InvokeFunction", arn);
                return Gateway.failure(
                        call, 403, "AccessDeniedException", "not authorized: " + arn);
            }
            FunctionSpec function = function(arn);
            if (event) {
                host.invokeLater(function, by, text, "invoke");
                return new Message(202, Map.of("x-amzn-RequestId", id), new byte[0]);
            }
            Answer answer = host.invoke(function, by, text, "states");
            Map<String, String> headers = new java.util.HashMap<>();
            headers.put("Content-Type", "application/json");
            headers.put("x-amzn-RequestId", id);
            headers.put("X-Amz-Executed-Version", function.resolve(by).orElse(""));
            answer.error().ifPresent(error -> headers.put("X-Amz-Function-Error", "Unhandled"));
            return new Message(200, headers, answer.payload().getBytes(StandardCharsets.UTF_8));
        } catch (LambdaHost.Refused e) {
            return Gateway.failure(call, e.status(), e.code(), String.valueOf(e.getMessage()));
        } catch (IllegalArgumentException e) {
            return Gateway.failure(
                    call, 404, "ResourceNotFoundException", String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Gateway.failure(call, 503, "ServiceException", "the rehearsal is ending");
        }
    }

    /** moto signs a machine's calls with one fixed key: some machine of the region must be let. */
    private boolean machineMayInvoke(Call call, String arn) {
        return !call.caller().equals("ak")
                || all().machineRoles().entrySet().stream()
                        .anyMatch(
                                role ->
                                        role.getKey().startsWith(call.region() + "/")
                                                && role.getValue()
                                                        .grants(
                                                                "lambda:InvokeFunction",
                                                                arn,
                                                                Map.of()));
    }

    private boolean granted(Call call, Need need) {
        Policy role = all().roles().get(call.caller().replaceFirst("#.*", ""));
        if (role == null) {
            throw new IllegalStateException("no role of " + call.caller());
        }
        Map<String, List<String>> context = new java.util.HashMap<>(need.context());
        context.put("aws:RequestedRegion", List.of(call.region()));
        context.put("aws:SecureTransport", List.of("true"));
        if (!role.grants(need.action(), need.resource(), context)) {
            deny(call.function(), need.action(), need.resource());
            return false;
        }
        return keyGranted(call, need, role);
    }

    /** Objects under a key: S3 asks KMS in the caller's name. */
    private boolean keyGranted(Call call, Need need, Policy role) {
        String bucket = need.resource().replaceFirst("^arn:aws:s3:::", "").replaceFirst("/.*", "");
        TemplateApplier.Key key = all().bucketKeys().get(bucket);
        String action =
                switch (need.action()) {
                    case "s3:PutObject" -> "kms:GenerateDataKey";
                    case "s3:GetObject", "s3:GetObjectVersion" -> "kms:Decrypt";
                    default -> "";
                };
        if (key == null || action.isEmpty()) {
            return true;
        }
        Map<String, List<String>> context =
                Map.of(
                        "kms:ViaService", List.of("s3." + call.region() + ".amazonaws.com"),
                        "kms:ResourceAliases", List.copyOf(key.aliases()));
        if (!role.grants(action, key.arn(), context)) {
            deny(call.function(), action, key.arn());
            return false;
        }
        return true;
    }

    private void deny(String function, String action, String resource) {
        denied.add(new DeniedCall(function, action, resource));
        happened(new CallDenied(Instant.now(), function, action, resource));
    }

    private void failed(LambdaHost.Failed failed) {
        FunctionSpec function = failed.function();
        happened(
                new Undelivered(
                        Instant.now(),
                        function.region(),
                        function.name(),
                        failed.answer().error().orElse(""),
                        failed.payload()));
        function.onFailure()
                .filter(arn -> arn.contains(":sqs:"))
                .map(arn -> arn.substring(arn.lastIndexOf(':') + 1))
                .ifPresent(
                        queue ->
                                metrics.add(
                                        new Metrics.Id(
                                                function.region(),
                                                "AWS/SQS",
                                                "ApproximateNumberOfMessagesVisible",
                                                Map.of("QueueName", queue)),
                                        Instant.now(),
                                        1));
    }

    private void line(FunctionSpec function, String line) {
        Metrics.ofLine(function.region(), line, Instant.now()).forEach(this::put);
        if (line.startsWith("{") && (line.contains("\"WARN\"") || line.contains("\"ERROR\""))) {
            String level = line.contains("\"ERROR\"") ? "ERROR" : "WARN";
            happened(
                    new FunctionLog(
                            Instant.now(), function.region(), function.name(), level, line));
        }
    }

    private void metricPut(Call call, byte[] request, Message answer) {
        Map<String, String> form = Gateway.query(new String(request, StandardCharsets.UTF_8));
        Metrics.ofForm(call.region(), form, Instant.now()).forEach(this::put);
    }

    private void put(MetricPut put) {
        metrics.add(
                new Metrics.Id(put.region(), put.namespace(), put.name(), put.dimensions()),
                put.timestamp(),
                put.value());
        setup.events.accept(put);
    }

    private void published(Call call, byte[] request, Message answer) {
        Map<String, String> form = Gateway.query(new String(request, StandardCharsets.UTF_8));
        happened(
                new Paged(
                        Instant.now(),
                        call.region(),
                        form.getOrDefault("TopicArn", ""),
                        form.getOrDefault("Subject", ""),
                        form.getOrDefault("Message", "")));
    }

    private void started(Call call, Message answer) {
        try {
            JsonNode json = Json.MAPPER.readTree(answer.text());
            executions.watch(call.region(), json.path("executionArn").asText());
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("StartExecution: expected JSON", e);
        }
    }

    /** Tells the listener, and keeps the metrics that Lambda and Step Functions publish. */
    private void happened(WorldEvent event) {
        if (event instanceof WorldEvent.FunctionEnded ended) {
            Map<String, String> dimensions = Map.of("FunctionName", ended.function());
            Instant now = Instant.now();
            lambda(ended.region(), "Invocations", dimensions, now, 1);
            lambda(ended.region(), "Errors", dimensions, now, ended.error().isPresent() ? 1 : 0);
        }
        setup.events.accept(event);
    }

    private void lambda(
            String region, String name, Map<String, String> of, Instant at, double value) {
        metrics.add(new Metrics.Id(region, "AWS/Lambda", name, of), at, value);
    }

    @Override
    public void close() {
        closed = true;
        threads.shutdownNow();
        loadBalancers.values().forEach(LoadBalancer::close);
        network.release();
        host.close();
        gateway.close();
        aws.close();
        moto.close();
    }
}
