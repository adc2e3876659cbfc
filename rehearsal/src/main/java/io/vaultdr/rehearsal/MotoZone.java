package io.vaultdr.rehearsal;

import io.vaultdr.infra.config.Names;
import io.vaultdr.rehearsal.world.World;

import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.route53.Route53Client;
import software.amazon.awssdk.services.route53.model.HealthCheckConfig;
import software.amazon.awssdk.services.route53.model.ResourceRecordSet;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/** Records, health checks and flags as the templates made them, for {@link Resolver}. */
final class MotoZone implements Resolver.Zone {
    /** The places that ask; fewer than Route 53 has, so that the model is rather slow than fast. */
    private static final int CHECKERS = 8;

    private static final Duration PROPAGATION = Duration.ofSeconds(60);
    private static final List<String> FLAGS = List.of(Configuration.DR, Configuration.WITNESS);

    private final World world;
    private final Route53Client route53;
    private final String zoneId;
    private final Resolver.Model model;
    private final List<Change<Resolver.Weights>> weights = new ArrayList<>();
    private final Map<String, List<Change<Boolean>>> flags = new LinkedHashMap<>();

    private record Change<T>(Instant at, T value) {}

    MotoZone(World world) {
        this.world = world;
        this.route53 = world.aws().at(Route53Client.builder(), Region.AWS_GLOBAL.id()).build();
        this.zoneId = route53.listHostedZones().hostedZones().getFirst().id();
        FLAGS.forEach(region -> flags.put(region, new ArrayList<>()));
        HealthCheckConfig check =
                route53.listHealthChecks().healthChecks().stream()
                        .map(it -> it.healthCheckConfig())
                        .filter(it -> it.requestInterval() != null)
                        .findFirst()
                        .orElseThrow(
                                () ->
                                        new IllegalStateException(
                                                "the templates made no health check of a flag"));
        this.model =
                new Resolver.Model(
                        Duration.ofSeconds(check.requestInterval()),
                        check.failureThreshold(),
                        CHECKERS,
                        Duration.ofSeconds(of(records(), "home").ttl()),
                        PROPAGATION);
    }

    /** With the health check's and the record's own settings. */
    Resolver.Model model() {
        return model;
    }

    /** The two weighted records, asked for at once. */
    private List<ResourceRecordSet> records() {
        return route53
                .listResourceRecordSets(it -> it.hostedZoneId(zoneId))
                .resourceRecordSets()
                .stream()
                .filter(it -> it.name().startsWith(Configuration.RECORD))
                .filter(it -> it.setIdentifier() != null)
                .toList();
    }

    private static ResourceRecordSet of(List<ResourceRecordSet> records, String side) {
        return records.stream()
                .filter(it -> it.setIdentifier().endsWith("-" + side))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("no record of " + side));
    }

    private static int weight(List<ResourceRecordSet> records, String side) {
        return Math.toIntExact(of(records, side).weight());
    }

    @Override
    public Resolver.Weights weights() {
        List<ResourceRecordSet> records = records();
        var now = new Resolver.Weights(weight(records, "home"), weight(records, "dr"));
        note(weights, now);
        return now;
    }

    @Override
    public int flags() {
        return FLAGS.size();
    }

    @Override
    public boolean stands(int flag) {
        String region = FLAGS.get(flag);
        boolean stands =
                !world.isLost(region)
                        && world.anonymousGet(region, bucket(region), Names.FLAG_KEY)
                                .equals(OptionalInt.of(200));
        note(flags.computeIfAbsent(region, it -> new ArrayList<>()), stands);
        return stands;
    }

    private static String bucket(String region) {
        return "%s-%s-flag-%s-%s"
                .formatted(Configuration.PREFIX, Configuration.PAIR, Configuration.ACCOUNT, region);
    }

    /** Per living region whether its flag stands now. */
    Map<String, Boolean> standing() {
        Map<String, Boolean> standing = new LinkedHashMap<>();
        for (int i = 0; i < FLAGS.size(); i++) {
            if (!world.isLost(FLAGS.get(i))) {
                standing.put(FLAGS.get(i), stands(i));
            }
        }
        return standing;
    }

    private static synchronized <T> void note(List<Change<T>> changes, T value) {
        if (changes.isEmpty() || !changes.getLast().value().equals(value)) {
            changes.add(new Change<>(Instant.now(), value));
        }
    }

    /** Weights and flags for the timeline. */
    List<Story.Span> spans(Instant start, Instant end) {
        List<Story.Span> spans = new ArrayList<>();
        flags.forEach(
                (region, changes) -> {
                    for (int i = 0; i < changes.size(); i++) {
                        if (changes.get(i).value()) {
                            spans.add(
                                    new Story.Span(
                                            "flag " + region,
                                            "the flag stands",
                                            changes.get(i).at(),
                                            until(changes, i, end),
                                            "on"));
                        }
                    }
                });
        for (int i = 0; i < weights.size(); i++) {
            Resolver.Weights value = weights.get(i).value();
            spans.add(
                    new Story.Span(
                            "weights home/DR",
                            value.home() + "/" + value.dr(),
                            i == 0 ? start : weights.get(i).at(),
                            until(weights, i, end),
                            value.home() > value.dr() ? "home" : "dr"));
        }
        return spans;
    }

    private static <T> Instant until(List<Change<T>> changes, int i, Instant end) {
        return i + 1 < changes.size() ? changes.get(i + 1).at() : end;
    }

    /** What isn't real, for the report. */
    List<Story.Model> models(double pace) {
        Resolver.Model used = model.times(pace);
        String guide = "Amazon Route 53 Developer Guide, ";
        return List.of(
                new Story.Model(
                        "health checkers",
                        CHECKERS
                                + " places, each every "
                                + Report.seconds(used.interval())
                                + ", "
                                + used.failureThreshold()
                                + " equal answer(s) in a row, unhealthy at 18 % or less",
                        guide
                                + "\"How Amazon Route 53 determines whether a health check is"
                                + " healthy\"; interval and threshold from the template; the"
                                + " requests to the flag are real"),
                new Story.Model(
                        "a client's cache of the record",
                        Report.seconds(used.timeToLive()),
                        "TTL of the record in the template"),
                new Story.Model(
                        "a client's time-out of one attempt",
                        Report.seconds(Writer.PATIENCE),
                        "the rehearsal's own; yours have theirs"),
                new Story.Model(
                        "weights on their way to all name servers",
                        Report.seconds(used.propagation()),
                        guide + "ChangeResourceRecordSets: within 60 s as a rule"),
                new Story.Model(
                        "an instance's start",
                        "left out, 0 s",
                        "the servers of new instances start at once; it touches Grow only, which"
                                + " runs beside the clients' turn"),
                new Story.Model(
                        "an archive's way back from a Glacier class",
                        "0 s, told at once",
                        "moto; S3 takes up to 12 hours from DEEP_ARCHIVE: \"Restoring an archived"
                                + " object\", Amazon S3 User Guide"),
                new Story.Model(
                        "the KMS key of both regions",
                        "one static seal key, no call",
                        "OpenBao's static seal"));
    }
}
