package io.vaultdr.snapshot;

import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.PairMetrics;
import io.vaultdr.runtime.PairMetrics.Measure;
import io.vaultdr.runtime.Parallel;
import io.vaultdr.runtime.RetentionSettings;
import io.vaultdr.snapshot.Inventory.Copy;
import io.vaultdr.snapshot.Inventory.Loose;
import io.vaultdr.snapshot.Inventory.Snapshot;
import io.vaultdr.snapshot.ObjectVersions.Version;
import io.vaultdr.snapshot.PoisonGuard.Acceptance;
import io.vaultdr.snapshot.PoisonGuard.Freeze;
import io.vaultdr.snapshot.PoisonGuard.Sample;
import io.vaultdr.snapshot.Retention.Action;
import io.vaultdr.snapshot.Retention.Decision;
import io.vaultdr.snapshot.Retention.Hold;
import io.vaultdr.snapshot.Retention.Rule;
import io.vaultdr.snapshot.Retention.Stored;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Carries {@link Retention}'s plan out in all buckets of a pair together, or in those of its own
 * account, unless {@link PoisonGuard} objects.
 *
 * <p>One decision per snapshot holds for every bucket, so that none copies back from another what
 * was deleted; therefore nothing happens while a bucket doesn't answer, or nobody can tell which
 * lineage serves. A hold on any version in any bucket keeps the whole snapshot.
 *
 * <p>Of each snapshot first the manifests go, then proofs and claims, then archives: killed
 * anywhere, what is left of it is no snapshot, and a run a day later sweeps it with whatever else
 * belongs to none. What the time doesn't suffice for goes on in the next run.
 */
public final class RetentionRun {
    private static final Logger LOG = LoggerFactory.getLogger(RetentionRun.class);

    /** So many snapshots go together: their manifests, then their proofs, then their archives. */
    private static final int TOGETHER = 250;

    private static final int WIDTH = 32;

    /** An archive without a manifest may be under way for a while, a copy of an old one too. */
    private static final Duration UNDER_WAY = Duration.ofDays(1);

    /** A report lists no more than that of each kind, and counts the rest. */
    private static final int LISTED = 1000;

    private static final Duration WORTHWHILE = Duration.ofSeconds(15);

    private final Predicate<Side> turn;
    private final Supplier<Serving> serving;
    private final boolean proofs;
    private final RetentionSettings settings;
    private final List<? extends ObjectVersions> buckets;
    private final PairMetrics metrics;

    /**
     * @param turn whether this one deletes while that side serves
     * @param serving asks the ledger; throws {@link Failure} where it can't be read
     * @param proofs whether this pair's snapshots are proven
     * @param buckets what it decides over together: every bucket of the pair, or of its account
     */
    public RetentionRun(
            Predicate<Side> turn,
            Supplier<Serving> serving,
            boolean proofs,
            RetentionSettings settings,
            List<? extends ObjectVersions> buckets,
            PairMetrics metrics) {
        this.turn = turn;
        this.serving = serving;
        this.proofs = proofs;
        this.settings = settings;
        this.buckets = buckets;
        this.metrics = metrics;
    }

    /** How a run ended. */
    public enum Result {
        /** All that had to go is gone. */
        DONE,
        /** Nothing was done, as asked. */
        DRY_RUN,
        /** The time didn't suffice, or something was refused: the next run goes on. */
        UNFINISHED,
        /** Snapshots fell suspiciously: nothing goes before a person accepts it. */
        FROZEN,
        /** The other side serves, and its Retention works. */
        NOT_SERVING,
        /** A bucket or the ledger doesn't answer: nothing goes. */
        HELD
    }

    /**
     * What a run came to, for logs and for who invoked it.
     *
     * @param rules how many snapshots each rule decided over
     * @param deleted ids that are gone, or would be in a dry run; the first thousand
     * @param archived ids that were marked for the colder class, or would be; the first thousand
     * @param swept objects that belong to no snapshot and are gone, or would be
     * @param freeze why nothing goes
     * @param problems what was refused or left, a sentence each
     */
    public record Report(
            Result result,
            int snapshots,
            Map<Rule, Integer> rules,
            int deletedCount,
            List<Going> deleted,
            int archivedCount,
            List<Going> archived,
            int swept,
            Optional<Freeze> freeze,
            List<String> problems) {}

    /** A snapshot that goes, and why. */
    public record Going(String id, Instant takenAt, Rule rule) {}

    /** What the buckets and the ledger say. */
    private record Seen(
            Epoch lineage,
            List<Optional<Freeze>> frozen,
            List<Optional<Acceptance>> accepted,
            List<Boolean> lockable,
            Inventory inventory) {
        /** The newest word of a person, in whichever bucket. */
        private Optional<Acceptance> word() {
            return newest(accepted);
        }

        private Optional<Freeze> freeze(Instant now) {
            return frozen.stream()
                    .flatMap(Optional::stream)
                    .filter(it -> word().filter(said -> said.covers(it)).isEmpty())
                    .findFirst()
                    .or(
                            () ->
                                    PoisonGuard.look(
                                            inventory.snapshots().stream()
                                                    .map(s -> Sample.of(s.manifest(), s.proof()))
                                                    .toList(),
                                            word(),
                                            now));
        }
    }

    /**
     * @param lineage empty: nobody told, and the newest snapshot's is taken for it
     */
    private Seen see(Optional<Epoch> lineage) {
        Inventory inventory = Inventory.of(buckets);
        return new Seen(
                lineage.orElseGet(inventory::lineage),
                Parallel.each(buckets, ObjectVersions::frozen),
                Parallel.each(buckets, ObjectVersions::accepted),
                Parallel.each(buckets, ObjectVersions::lockable),
                inventory);
    }

    /**
     * What would come of each snapshot.
     *
     * @param freeze why nothing goes; the decisions hold once it is accepted
     * @param lineage whose snapshots were counted among themselves
     * @param ledger why the ledger couldn't be asked for it, so that the newest snapshot told it;
     *     nothing goes meanwhile
     */
    public record Plan(
            Inventory inventory,
            List<Decision> decisions,
            Optional<Freeze> freeze,
            Epoch lineage,
            Optional<Failure> ledger) {}

    /**
     * Plans, without changing anything.
     *
     * @throws Failure where a bucket doesn't answer
     */
    public Plan plan(Deadline deadline) {
        Optional<Epoch> told = Optional.empty();
        Optional<Failure> ledger = Optional.empty();
        try {
            told = Optional.of(serving.get().lineage());
        } catch (Failure e) {
            ledger = Optional.of(e);
        }
        Seen seen = see(told);
        Work work = new Work(seen, deadline);
        return new Plan(seen.inventory(), work.plan, seen.freeze(work.now), seen.lineage(), ledger);
    }

    /**
     * Plans and, unless {@code dryRun}, carries it out.
     *
     * @throws Failure from a dry run where a bucket or the ledger doesn't answer; in earnest that
     *     ends as {@link Result#HELD}, and the next hour tries again
     */
    public Report run(boolean dryRun, Deadline deadline) {
        Seen seen;
        try {
            Serving now = serving.get();
            if (!dryRun && !turn.test(now.side())) {
                LOG.info("Nothing is deleted from here: {} serves", now.side());
                return ended(Result.NOT_SERVING, List.of());
            }
            seen = see(Optional.of(now.lineage()));
        } catch (Failure e) {
            if (dryRun) {
                throw e;
            }
            LOG.warn("Nothing is deleted: {}", e.getMessage());
            return ended(Result.HELD, List.of(String.valueOf(e.getMessage())));
        }
        Work work = new Work(seen, deadline);
        Optional<Freeze> freeze = seen.freeze(work.now);
        if (dryRun) {
            return work.report(freeze.isPresent() ? Result.FROZEN : Result.DRY_RUN, freeze);
        }
        if (freeze.isPresent()) {
            work.freeze(freeze.get());
            LOG.error("Nothing is deleted until a person accepts it: {}", freeze.get().falls());
            metrics.publish(
                    List.of(
                            Measure.count("RetentionFrozen", 1),
                            Measure.count("RetentionDeleted", 0)));
            return work.report(Result.FROZEN, freeze);
        }
        work.spread();
        work.carryOut();
        Report report =
                work.report(work.problems.isEmpty() ? Result.DONE : Result.UNFINISHED, freeze);
        report.problems().forEach(what -> LOG.warn("Retention is unfinished: {}", what));
        LOG.info(
                "Retention: {} of {} snapshots deleted, {} marked for the archive, {} objects"
                        + " swept",
                report.deletedCount(),
                report.snapshots(),
                report.archivedCount(),
                report.swept());
        metrics.publish(
                List.of(
                        Measure.count("RetentionFrozen", 0),
                        Measure.count("RetentionDeleted", report.deletedCount()),
                        Measure.count("RetentionProblems", report.problems().size())));
        return report;
    }

    private static Report ended(Result result, List<String> problems) {
        return new Report(
                result, 0, Map.of(), 0, List.of(), 0, List.of(), 0, Optional.empty(), problems);
    }

    private static Optional<Acceptance> newest(List<Optional<Acceptance>> accepted) {
        return accepted.stream()
                .flatMap(Optional::stream)
                .max(Comparator.comparing(Acceptance::at));
    }

    /**
     * Records a person's word that the fall which froze this pair was meant, and ends the freeze:
     * the baseline first, in every bucket, then the freezes. Killed in between, the next run ends
     * what the word covers.
     *
     * @return what was accepted; empty: nothing is frozen
     * @throws Failure where a bucket doesn't answer
     */
    public Optional<Acceptance> accept(String by, String reason, Instant now) {
        Optional<Acceptance> before = newest(Parallel.each(buckets, ObjectVersions::accepted));
        Optional<Freeze> freeze =
                Parallel.each(buckets, ObjectVersions::frozen).stream()
                        .flatMap(Optional::stream)
                        .filter(it -> before.filter(said -> said.covers(it)).isEmpty())
                        .max(Comparator.comparing(it -> it.sample().takenAt()));
        Optional<Acceptance> word = freeze.map(it -> new Acceptance(now, by, reason, it.sample()));
        word.ifPresent(
                it -> {
                    buckets.forEach(bucket -> bucket.accept(it));
                    buckets.forEach(ObjectVersions::unfreeze);
                    LOG.warn(
                            "{} accepted that snapshots fell ({}): {}",
                            by,
                            it.baseline().id(),
                            reason);
                });
        return word;
    }

    /** One run's plan and what came of it. */
    private final class Work {
        private final Seen seen;
        private final Inventory inventory;
        private final Deadline deadline;
        private final Instant now;
        private final List<Decision> plan;
        private final List<Loose> loose;
        private final Map<String, Snapshot> byId;
        private final List<String> problems = new ArrayList<>();
        private final Set<String> gone = new HashSet<>();
        private final Set<String> marked = new HashSet<>();
        private int swept;
        private boolean carriedOut;

        Work(Seen seen, Deadline deadline) {
            this.seen = seen;
            this.inventory = seen.inventory();
            this.deadline = deadline;
            this.now = deadline.clock().instant();
            this.byId =
                    inventory.snapshots().stream()
                            .collect(Collectors.toMap(s -> s.manifest().id(), Function.identity()));
            List<Stored> stored = inventory.snapshots().stream().map(Snapshot::stored).toList();
            List<Decision> first = plan(stored);
            Map<String, Hold> held = held(first);
            this.plan =
                    held.isEmpty()
                            ? first
                            : plan(
                                    stored.stream()
                                            .map(
                                                    one ->
                                                            Optional.ofNullable(held.get(one.id()))
                                                                    .map(one::held)
                                                                    .orElse(one))
                                            .toList());
            this.loose =
                    inventory.loose().stream()
                            .filter(it -> it.before(now.minus(UNDER_WAY)))
                            .filter(it -> holds(it.bucket(), it.versions().stream()).isEmpty())
                            .toList();
        }

        private List<Decision> plan(List<Stored> stored) {
            return Retention.plan(stored, seen.lineage(), proofs, now, settings);
        }

        /** Asks only for what is to go, and only buckets that can hold anything. */
        private Map<String, Hold> held(List<Decision> first) {
            Map<String, Hold> held = new HashMap<>();
            List<String> going =
                    first.stream()
                            .filter(decision -> decision.action() == Action.DELETE)
                            .map(decision -> decision.snapshot().id())
                            .toList();
            List<Optional<Hold>> answers = Parallel.each(going, WIDTH, this::heldBy);
            for (int i = 0; i < going.size(); i++) {
                String id = going.get(i);
                answers.get(i).ifPresent(hold -> held.put(id, hold));
            }
            return held;
        }

        private Optional<Hold> heldBy(String id) {
            return snapshot(id).copies().stream()
                    .map(copy -> holds(copy.bucket(), copy.all()))
                    .flatMap(Optional::stream)
                    .max(Comparator.naturalOrder());
        }

        private Optional<Hold> holds(ObjectVersions bucket, Stream<Version> versions) {
            return seen.lockable().get(buckets.indexOf(bucket))
                    ? versions.filter(version -> !version.marker())
                            .map(version -> bucket.hold(version, now))
                            .flatMap(Optional::stream)
                            .max(Comparator.naturalOrder())
                    : Optional.empty();
        }

        private Snapshot snapshot(String id) {
            return Objects.requireNonNull(byId.get(id));
        }

        /** Everywhere, also where an earlier run was killed before it had written it. */
        private void freeze(Freeze freeze) {
            for (int i = 0; i < buckets.size(); i++) {
                ObjectVersions bucket = buckets.get(i);
                if (seen.frozen().get(i).isEmpty()) {
                    attempt("freeze " + bucket.region(), () -> bucket.freeze(freeze));
                }
            }
        }

        /** Brings a person's word to buckets that haven't heard it, and ends what it covers. */
        private void spread() {
            Optional<Acceptance> word = seen.word();
            for (int i = 0; i < buckets.size(); i++) {
                ObjectVersions bucket = buckets.get(i);
                if (!seen.accepted().get(i).equals(word)) {
                    word.ifPresent(
                            it -> attempt("accept in " + bucket.region(), () -> bucket.accept(it)));
                }
                if (seen.frozen().get(i).isPresent()) {
                    attempt("end the freeze of " + bucket.region(), bucket::unfreeze);
                }
            }
        }

        private void carryOut() {
            carriedOut = true;
            List<Snapshot> going = decided(Action.DELETE).map(this::snapshot).toList();
            for (int from = 0; from < going.size() && timeFor("delete"); from += TOGETHER) {
                delete(going.subList(from, Math.min(going.size(), from + TOGETHER)));
            }
            if (timeFor("mark for the archive")) {
                archive();
            }
            for (int i = 0; i < buckets.size() && timeFor("sweep"); i++) {
                ObjectVersions bucket = buckets.get(i);
                List<Version> versions =
                        loose.stream()
                                .filter(it -> it.bucket().equals(bucket))
                                .flatMap(it -> it.versions().stream())
                                .toList();
                swept += versions.size() - refused(bucket, versions).size();
            }
        }

        private boolean timeFor(String what) {
            boolean enough = deadline.left().compareTo(WORTHWHILE) > 0;
            if (!enough) {
                problems.add("no time left to " + what + " the rest; the next run goes on");
            }
            return enough;
        }

        private Stream<String> decided(Action action) {
            return plan.stream()
                    .filter(decision -> decision.action() == action)
                    .map(decision -> decision.snapshot().id());
        }

        /** Manifests first: then it is no snapshot any more, whatever happens to the rest. */
        private void delete(List<Snapshot> together) {
            List<Snapshot> left = together;
            for (Function<Copy, List<Version>> part :
                    List.<Function<Copy, List<Version>>>of(
                            Copy::manifests, Copy::proofs, Copy::archives)) {
                left = without(left, part);
            }
            left.forEach(snapshot -> gone.add(snapshot.manifest().id()));
        }

        /** Deletes one part in each bucket at once; those of which nothing was refused. */
        private List<Snapshot> without(
                List<Snapshot> snapshots, Function<Copy, List<Version>> part) {
            Set<Version> refused =
                    Parallel.each(
                                    buckets,
                                    bucket ->
                                            refused(
                                                    bucket,
                                                    snapshots.stream()
                                                            .flatMap(s -> versions(s, bucket, part))
                                                            .toList()))
                            .stream()
                            .flatMap(Set::stream)
                            .collect(Collectors.toSet());
            return snapshots.stream()
                    .filter(
                            snapshot ->
                                    snapshot.copies().stream()
                                            .flatMap(copy -> part.apply(copy).stream())
                                            .noneMatch(refused::contains))
                    .toList();
        }

        private static Stream<Version> versions(
                Snapshot snapshot, ObjectVersions bucket, Function<Copy, List<Version>> part) {
            return snapshot.copies().stream()
                    .filter(copy -> copy.bucket().equals(bucket))
                    .flatMap(copy -> part.apply(copy).stream());
        }

        private Set<Version> refused(ObjectVersions bucket, List<Version> versions) {
            try {
                Map<Version, String> refused = bucket.delete(versions);
                synchronized (problems) {
                    refused.forEach(
                            (version, why) ->
                                    problems.add(
                                            version.key()
                                                    + " in "
                                                    + bucket.region()
                                                    + " was not deleted: "
                                                    + why));
                }
                return refused.keySet();
            } catch (Failure e) {
                synchronized (problems) {
                    problems.add("nothing deleted in " + bucket.region() + ": " + e.getMessage());
                }
                // Some may be gone: what goes next is asked for again by the next run.
                return new HashSet<>(versions);
            }
        }

        private void archive() {
            List<String> ids = decided(Action.ARCHIVE).toList();
            Parallel.each(
                            ids,
                            WIDTH,
                            id -> {
                                Snapshot snapshot = snapshot(id);
                                for (Copy copy : snapshot.copies()) {
                                    if (copy.archive(snapshot.manifest())
                                            .filter(
                                                    it ->
                                                            it.storageClass()
                                                                    .equals(
                                                                            ObjectVersions
                                                                                    .STANDARD))
                                            .isPresent()) {
                                        attempt(
                                                "mark " + id + " in " + copy.bucket().region(),
                                                () ->
                                                        copy.bucket()
                                                                .archive(
                                                                        snapshot.manifest()
                                                                                .archiveKey()));
                                    }
                                }
                                return id;
                            })
                    .forEach(marked::add);
        }

        private void attempt(String what, Runnable call) {
            try {
                call.run();
            } catch (Failure e) {
                synchronized (problems) {
                    problems.add(what + ": " + e.getMessage());
                }
            }
        }

        private Report report(Result result, Optional<Freeze> freeze) {
            Map<Rule, Integer> rules = new EnumMap<>(Rule.class);
            plan.forEach(decision -> rules.merge(decision.rule(), 1, Integer::sum));
            List<Going> deleted = going(Action.DELETE, gone);
            List<Going> archived = going(Action.ARCHIVE, marked);
            List<String> told = new ArrayList<>(problems);
            inventory
                    .hidden()
                    .forEach(
                            id ->
                                    told.add(
                                            id
                                                    + " is hidden: somebody put a delete marker on"
                                                    + " its manifest; it stays until the marker or"
                                                    + " all versions are removed by hand"));
            inventory.unreadable().forEach(id -> told.add(id + " can't be read, and stays"));
            return new Report(
                    result,
                    plan.size(),
                    rules,
                    deleted.size(),
                    deleted.stream().limit(LISTED).toList(),
                    archived.size(),
                    archived.stream().limit(LISTED).toList(),
                    carriedOut ? swept : loose.stream().mapToInt(l -> l.versions().size()).sum(),
                    freeze,
                    told.stream().limit(LISTED).toList());
        }

        /** What was done, or would be. */
        private List<Going> going(Action action, Set<String> done) {
            return plan.stream()
                    .filter(decision -> decision.action() == action)
                    .filter(decision -> !carriedOut || done.contains(decision.snapshot().id()))
                    .map(
                            decision ->
                                    new Going(
                                            decision.snapshot().id(),
                                            decision.snapshot().takenAt(),
                                            decision.rule()))
                    .toList();
        }
    }
}
