package io.vaultdr.snapshot;

import io.vaultdr.model.Failure;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.Parallel;
import io.vaultdr.snapshot.Archive.Sound;
import io.vaultdr.snapshot.Transfer.Landed;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Brings to each bucket what it missed while it was away: the other bucket's archive, checked on
 * the way as when it was taken and compared with its manifest's hash, under the same manifest.
 */
public final class MissingCopies {
    private static final Logger LOG = LoggerFactory.getLogger(MissingCopies.class);

    /** How many of the newest snapshots are compared: two days of an hourly schedule. */
    static final int COMPARED = 48;

    /** Less time than this isn't worth beginning a copy. */
    private static final Duration WORTHWHILE = Duration.ofSeconds(20);

    /** How many of the newest snapshots' proofs are compared at each run. */
    static final int PROOFS_COMPARED = 10;

    private final List<? extends SnapshotStore> stores;
    private final List<? extends Proofs> proofs;
    private final Owed owed;
    private final Path scratch;

    /**
     * Copies between {@code stores} through scratch space in {@code scratch}.
     *
     * @param proofs of the same buckets; none below the rung {@code proven}
     */
    public MissingCopies(
            List<? extends SnapshotStore> stores,
            List<? extends Proofs> proofs,
            Owed owed,
            Path scratch) {
        this.stores = stores;
        this.proofs = proofs;
        this.owed = owed;
        this.scratch = scratch;
    }

    /**
     * What buckets owe each other.
     *
     * @param compared how many of the newest snapshots
     * @param elsewhere the regions of buckets in another account: what they lack is put there, and
     *     nothing but proofs is fetched from them, which they make themselves
     */
    public record Owed(int compared, Set<String> elsewhere) {
        /** In one account each bucket has what any of them has: one Retention deletes in all. */
        public static final Owed ALL = new Owed(COMPARED, Set.of());

        /**
         * With several accounts each one's Retention deletes for itself, so that what a bucket
         * lacks may be gone on purpose. The newest {@code last} are not: they stay everywhere.
         */
        public static Owed last(int last, Set<String> elsewhere) {
            return new Owed(Math.min(COMPARED, last), elsewhere);
        }
    }

    /**
     * A snapshot that one bucket has and another hasn't.
     *
     * @param from a bucket that has it
     * @param to the bucket that lacks it
     */
    public record Missing(String id, SnapshotStore from, SnapshotStore to) {}

    /**
     * What the newest snapshots lack, newest first. Buckets that don't answer are left out: what
     * they hold is unknown.
     */
    List<Missing> find() {
        List<Optional<List<String>>> ids =
                Parallel.each(
                        stores,
                        store -> {
                            try {
                                return Optional.of(store.newestIds(COMPARED));
                            } catch (Failure e) {
                                LOG.warn("A bucket can't be compared: {}", e.getMessage());
                                return Optional.empty();
                            }
                        });
        return compare(stores, ids, owed);
    }

    /**
     * What the newest snapshots lack.
     *
     * @param ids what each of {@code stores} listed, newest first, {@link #COMPARED} at the most;
     *     empty: no answer
     */
    static List<Missing> compare(
            List<? extends SnapshotStore> stores, List<Optional<List<String>>> ids, Owed owed) {
        List<Missing> all = new ArrayList<>();
        for (int to = 0; to < stores.size(); to++) {
            for (int from = 0; from < stores.size(); from++) {
                if (from == to
                        || ids.get(from).isEmpty()
                        || ids.get(to).isEmpty()
                        || owed.elsewhere().contains(stores.get(from).region())) {
                    continue;
                }
                List<String> there = ids.get(to).get();
                // Older than the oldest one that was listed: it may be there.
                String oldest = there.size() < COMPARED ? "" : there.getLast();
                for (String id : ids.get(from).get().stream().limit(owed.compared()).toList()) {
                    if (!there.contains(id)
                            && id.compareTo(oldest) > 0
                            && !planned(all, id, stores.get(to))) {
                        all.add(new Missing(id, stores.get(from), stores.get(to)));
                    }
                }
            }
        }
        return all;
    }

    private static boolean planned(List<Missing> all, String id, SnapshotStore to) {
        return all.stream().anyMatch(missing -> missing.id().equals(id) && missing.to().equals(to));
    }

    /** Copies while there is time; what could not be copied, a sentence each. */
    public List<String> copy(Deadline deadline) {
        List<String> left = new ArrayList<>();
        for (Missing missing : find()) {
            String what =
                    missing.id()
                            + " from "
                            + missing.from().region()
                            + " to "
                            + missing.to().region();
            if (deadline.left().compareTo(WORTHWHILE) < 0) {
                left.add("no time left to copy " + what);
                continue;
            }
            try {
                copy(missing, deadline)
                        .ifPresentOrElse(
                                why -> left.add(what + " was not copied: " + why),
                                () -> LOG.info("A missing copy was made: {}", what));
            } catch (Failure e) {
                left.add(what + " was not copied: " + e.getMessage());
            }
        }
        if (deadline.left().compareTo(WORTHWHILE) > 0) {
            left.addAll(copyProofs());
        }
        return left;
    }

    /**
     * Brings each bucket the latest proof that any of them has. The prover writes where it runs;
     * whoever decides elsewhere reads these copies. Another account believes its own prover only.
     */
    private List<String> copyProofs() {
        List<String> left = new ArrayList<>();
        if (proofs.size() < 2) {
            return left;
        }
        try {
            List<String> ids = stores.getFirst().newestIds(PROOFS_COMPARED);
            List<List<Optional<Proof>>> found =
                    Parallel.each(proofs, bucket -> Parallel.each(ids, bucket::of));
            for (int i = 0; i < ids.size(); i++) {
                int at = i;
                Optional<Proof> latest =
                        found.stream()
                                .flatMap(bucket -> bucket.get(at).stream())
                                .max(Comparator.comparing(Proof::madeAt));
                for (int b = 0; b < proofs.size(); b++) {
                    Optional<Proof> there = found.get(b).get(at);
                    if (latest.isPresent()
                            && !latest.equals(there)
                            && !owed.elsewhere().contains(proofs.get(b).region())) {
                        proofs.get(b).write(latest.get());
                        LOG.info(
                                "The proof of {} was copied to {}",
                                ids.get(at),
                                proofs.get(b).region());
                    }
                }
            }
        } catch (Failure e) {
            left.add("proofs were not copied: " + e.getMessage());
        }
        return left;
    }

    /** Copies one; why it couldn't be. */
    private Optional<String> copy(Missing missing, Deadline deadline) {
        Optional<Manifest> found = missing.from().committed(missing.id());
        if (found.isEmpty()) {
            return Optional.of("its manifest is gone");
        }
        Manifest manifest = found.get();
        try (Transfer transfer =
                        Transfer.into(
                                List.of(missing.to()), manifest.archiveKey(), scratch, deadline);
                InputStream archive = missing.from().open(manifest)) {
            return switch (transfer.receive(archive)) {
                case Archive.Bad bad ->
                        Optional.of(
                                "it is damaged there (%s at byte %d: %s)"
                                        .formatted(bad.reason(), bad.offset(), bad.detail()));
                case Sound sound when !sound.sha256().equals(manifest.sha256()) ->
                        Optional.of("its hash isn't the manifest's");
                case Sound sound ->
                        transfer.commit(manifest).getFirst() instanceof Landed.Missed(String why)
                                ? Optional.of(why)
                                : Optional.empty();
            };
        } catch (IOException e) {
            return Optional.of("it can't be read (" + e.getMessage() + ")");
        }
    }
}
