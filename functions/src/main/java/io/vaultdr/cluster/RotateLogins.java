package io.vaultdr.cluster;

import io.vaultdr.cluster.Rotation.Rule;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.PairMetrics;
import io.vaultdr.runtime.PairMetrics.Measure;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.Parallel;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.Serving;
import io.vaultdr.snapshot.SnapshotStore;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.Login;
import io.vaultdr.vault.Login.Intent;
import io.vaultdr.vault.VaultClient;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Replaces the secret ids of all logins before they are old, where this region's side serves, and
 * at once those that the server doesn't know: after the restore of a snapshot from before a
 * rotation nothing could log in with them.
 *
 * <p>Of each login first a secret id is issued, then it becomes the current version of the secret
 * in this region, then in the others; a version is named by its secret id's accessor. Killed
 * anywhere, the next run goes on: what another region lacks is brought there, and a secret id that
 * was issued for nobody is destroyed like any that nothing needs.
 *
 * <p>A secret id stays valid while a manifest in any bucket names it, while any region uses it, and
 * for a day after it was replaced. As long as a bucket or a region doesn't answer, none is
 * destroyed. The secret's old versions stay in Secrets Manager, since a snapshot knows its secret
 * ids also when they are destroyed here.
 */
public final class RotateLogins {
    private static final Logger LOG = LoggerFactory.getLogger(RotateLogins.class);

    private static final Duration FINDING = Duration.ofSeconds(10);

    /** Manifests are read so many at a time. */
    private static final int WIDTH = 32;

    /** Where the version is looked for that a restored snapshot knows. */
    private static final int NEWEST = 50;

    /** Fewer than what a server takes for guessing, and locks the role for. */
    private static final int TRIES = 3;

    private final Set<Intent> logins;
    private final PairSettings.Cluster cluster;
    private final Side side;
    private final Supplier<Serving> serving;
    private final LeaderFinder finder;
    private final Login login;
    private final LoginSecrets own;
    private final List<? extends LoginSecrets> others;
    private final List<? extends SnapshotStore> stores;
    private final Clock clock;
    private final PairMetrics metrics;

    /**
     * A rotation of the logins of one side's cluster.
     *
     * @param logins those that this account can replace wherever they lie
     * @param side whose cluster is in this region
     * @param serving asks the ledger; throws {@link Failure} where it can't be read
     * @param own the secrets of this region
     * @param others those of every other region that has them
     * @param stores every bucket; this region's first
     */
    public RotateLogins(
            Set<Intent> logins,
            PairSettings.Cluster cluster,
            Side side,
            Supplier<Serving> serving,
            LeaderFinder finder,
            Login login,
            LoginSecrets own,
            List<? extends LoginSecrets> others,
            List<? extends SnapshotStore> stores,
            Clock clock,
            PairMetrics metrics) {
        this.logins = Set.copyOf(logins);
        this.cluster = cluster;
        this.side = side;
        this.serving = serving;
        this.finder = finder;
        this.login = login;
        this.own = own;
        this.others = List.copyOf(others);
        this.stores = List.copyOf(stores);
        this.clock = clock;
        this.metrics = metrics;
    }

    /** How a run ended. */
    public enum Result {
        /** Every login is young, and the same in every region. */
        DONE,
        /** Nothing was changed, as asked. */
        DRY_RUN,
        /** Something is left, and the next run goes on. */
        UNFINISHED,
        /** The other side serves, and rotates. */
        NOT_SERVING
    }

    /**
     * What a run came to, for logs and for who invoked it.
     *
     * @param logins what decided over each login's secret id, by the login's name
     * @param brought the regions that got a version that they lacked, a sentence each
     * @param destroyed how many secret ids were destroyed, or would be, by the login's name
     * @param problems what is left, a sentence each
     */
    public record Report(
            Result result,
            Map<String, Rule> logins,
            List<String> brought,
            Map<String, Integer> destroyed,
            List<String> problems) {}

    /**
     * Rotates what has to be.
     *
     * @param dryRun whether nothing is issued, written or destroyed
     * @throws Failure where nobody leads, the server takes no login, or this region's secrets can't
     *     be read; from a dry run also where anything else doesn't answer
     */
    public Report run(boolean dryRun) {
        Work work = new Work(dryRun);
        Optional<Side> serves = work.serves();
        if (serves.isPresent() && serves.get() != side) {
            LOG.info("No login is rotated from here: {} serves", serves.get());
            if (dryRun) {
                login.check(cluster, Intent.ROTATE);
                Stream.concat(Stream.of(own), others.stream()).forEach(LoginSecrets::versions);
            }
            return work.report(Result.NOT_SERVING);
        }
        if (serves.isPresent()) {
            VaultClient node = finder.require(cluster, FINDING);
            try (Login.Session session = login(node)) {
                work.rotate(session);
            }
        }
        if (dryRun) {
            return work.report(Result.DRY_RUN);
        }
        Report report = work.report(work.problems.isEmpty() ? Result.DONE : Result.UNFINISHED);
        report.problems().forEach(what -> LOG.warn("Rotating the logins is unfinished: {}", what));
        LOG.info("Logins: {}, destroyed: {}", report.logins(), report.destroyed());
        metrics.publish(List.of(Measure.count("LoginProblems", report.problems().size())));
        return report;
    }

    /**
     * With the current version, otherwise with one that the newest snapshots know: the cluster was
     * restored from one of them.
     */
    private Login.Session login(VaultClient node) {
        try {
            return login.to(cluster, node, Intent.ROTATE);
        } catch (Failure.Terminal e) {
            LOG.warn("The logins of the newest snapshots are tried: {}", e.getMessage());
            List<String> versions =
                    stores.getFirst().newest(NEWEST).stream()
                            .flatMap(it -> named(it, Intent.ROTATE).stream())
                            .distinct()
                            .limit(TRIES)
                            .toList();
            for (String version : versions) {
                try {
                    return login.with(version, cluster, node, Intent.ROTATE);
                } catch (Failure.Terminal other) {
                    e.addSuppressed(other);
                }
            }
            throw e;
        }
    }

    private static Optional<String> named(Manifest manifest, Intent intent) {
        return Optional.ofNullable(manifest.needs().login().get(intent.toString()));
    }

    /** What one run sees and does. */
    private final class Work {
        private final boolean dryRun;
        private final Instant now = clock.instant();
        private final Map<String, Rule> logins = new TreeMap<>();
        private final List<String> brought = new ArrayList<>();
        private final Map<String, Integer> destroyed = new TreeMap<>();
        private final List<String> problems = new ArrayList<>();

        Work(boolean dryRun) {
            this.dryRun = dryRun;
        }

        Report report(Result result) {
            return new Report(
                    result,
                    Map.copyOf(logins),
                    List.copyOf(brought),
                    Map.copyOf(destroyed),
                    List.copyOf(problems));
        }

        /** Who serves; empty where the ledger doesn't answer, and nothing is done then. */
        Optional<Side> serves() {
            List<Side> answer = new ArrayList<>();
            attempt("ask who serves", () -> answer.add(serving.get().side()));
            return answer.stream().findFirst();
        }

        void rotate(Login.Session session) {
            Map<Intent, String> here = own.versions();
            Map<LoginSecrets, Map<Intent, String>> there = new LinkedHashMap<>();
            for (LoginSecrets other : others) {
                attempt(
                        "look at the logins in " + other.region(),
                        () -> there.put(other, other.versions()));
            }
            Map<Intent, Rotation> rotations = new EnumMap<>(Intent.class);
            for (Intent intent : RotateLogins.this.logins) {
                String version = here.get(intent);
                if (version != null) {
                    attempt(
                            "rotate the login " + intent,
                            () -> {
                                Rotation rotation = look(session, intent, version);
                                rotations.put(intent, rotation);
                                renew(session, intent, rotation, there);
                            });
                } else if (intent != Intent.RECOVER) {
                    // Only who wants to recover single secrets has that one.
                    missing(intent, own.region());
                }
            }
            if (there.size() == others.size()) {
                attempt(
                        "destroy what no snapshot knows",
                        () -> destroy(session, rotations, there.values()));
            }
        }

        private Rotation look(Login.Session session, Intent intent, String version) {
            String role = VaultSetup.role(intent).path();
            Map<String, Instant> known = new TreeMap<>();
            for (String accessor : session.node().list(session.token(), role + "/secret-id")) {
                known.put(accessor, issued(session, role, accessor));
            }
            return new Rotation(version, known);
        }

        private Instant issued(Login.Session session, String role, String accessor) {
            String time =
                    session.node()
                            .write(
                                    session.token(),
                                    role + "/secret-id-accessor/lookup",
                                    Map.of("secret_id_accessor", accessor))
                            .path("creation_time")
                            .asText();
            try {
                return OffsetDateTime.parse(time).toInstant();
            } catch (DateTimeException e) {
                throw new Failure.Terminal(
                        "look up a secret id of " + role,
                        "its creation_time is " + time,
                        "Check the server's edition and version",
                        e);
            }
        }

        /** Issues a new one where one is needed, then brings other regions what they lack. */
        private void renew(
                Login.Session session,
                Intent intent,
                Rotation rotation,
                Map<LoginSecrets, Map<Intent, String>> there) {
            Rule rule = rotation.rule(now);
            logins.put(intent.toString(), rule);
            String current = rotation.current();
            Optional<Secret> value = Optional.empty();
            if (rule != Rule.YOUNG && !dryRun) {
                SecretIds.Issued issued =
                        SecretIds.issue(
                                session.node(), session.token(), VaultSetup.role(intent).path());
                current = issued.accessor();
                value = Optional.of(issued.value());
                own.put(intent, current, value.get());
                LOG.info(
                        "The login {} has a new secret id, since the one before is {}",
                        intent,
                        rule);
            }
            for (Map.Entry<LoginSecrets, Map<Intent, String>> other : there.entrySet()) {
                String region = other.getKey().region();
                String version = other.getValue().get(intent);
                if (version == null) {
                    missing(intent, region);
                } else if (!version.equals(current)) {
                    bring(intent, current, value, other.getKey());
                }
            }
        }

        private void bring(
                Intent intent, String current, Optional<Secret> value, LoginSecrets other) {
            String what = "the login " + intent + " to " + other.region();
            attempt(
                    "bring " + what,
                    () -> {
                        if (!dryRun) {
                            other.put(intent, current, value.orElseGet(() -> own.value(intent)));
                        }
                        brought.add(what);
                    });
        }

        private void destroy(
                Login.Session session,
                Map<Intent, Rotation> rotations,
                Collection<Map<Intent, String>> there) {
            List<Manifest> manifests = manifests();
            rotations.forEach(
                    (intent, rotation) -> {
                        Set<String> elsewhere = new HashSet<>();
                        there.forEach(
                                it ->
                                        Optional.ofNullable(it.get(intent))
                                                .ifPresent(elsewhere::add));
                        Set<String> named = new HashSet<>();
                        manifests.forEach(it -> named(it, intent).ifPresent(named::add));
                        List<String> outdated = rotation.outdated(elsewhere, named, now);
                        if (!dryRun) {
                            outdated.forEach(it -> destroy(session, intent, it));
                        }
                        if (!outdated.isEmpty()) {
                            destroyed.put(intent.toString(), outdated.size());
                        }
                    });
        }

        private void destroy(Login.Session session, Intent intent, String accessor) {
            session.node()
                    .write(
                            session.token(),
                            VaultSetup.role(intent).path() + "/secret-id-accessor/destroy",
                            Map.of("secret_id_accessor", accessor));
        }

        /** All that are there; one that Retention deletes meanwhile is gone. */
        private List<Manifest> manifests() {
            return Parallel.each(
                            stores,
                            store ->
                                    Parallel.each(
                                            store.newestIds(Integer.MAX_VALUE),
                                            WIDTH,
                                            store::committed))
                    .stream()
                    .flatMap(List::stream)
                    .flatMap(Optional::stream)
                    .toList();
        }

        private void missing(Intent intent, String region) {
            String what = "the login " + intent + " has no secret in " + region;
            if (dryRun) {
                throw new Failure.Terminal(
                        "look at the logins",
                        what,
                        "Run ./vault-dr setup for this pair and apply what it prints");
            }
            problems.add(what + ": run ./vault-dr setup and apply what it prints");
        }

        /** Goes on with the rest where something fails, except in a dry run. */
        private void attempt(String what, Runnable call) {
            try {
                call.run();
            } catch (Failure e) {
                if (dryRun) {
                    throw e;
                }
                problems.add(what + ": " + Objects.requireNonNull(e.getMessage()));
            }
        }
    }
}
