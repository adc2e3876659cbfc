package io.vaultdr.snapshot;

import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.runtime.Parallel;
import io.vaultdr.snapshot.ObjectVersions.Version;
import io.vaultdr.snapshot.Retention.Stored;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * All that lies in a pair's buckets, put together by snapshot. Reading needs one listing per bucket
 * and one manifest and proof per snapshot.
 *
 * @param snapshots the committed ones, newest first
 * @param hidden ids whose manifest somebody hid behind a delete marker: Retention makes none, so
 *     they stay until a person removes marker or versions
 * @param unreadable committed ids whose manifest or proof isn't of this version; they stay
 * @param loose what belongs to no snapshot, by bucket and id
 */
public record Inventory(
        List<Snapshot> snapshots, List<String> hidden, List<String> unreadable, List<Loose> loose) {
    private static final Logger LOG = LoggerFactory.getLogger(Inventory.class);

    /** How many manifests and proofs are read at once. */
    private static final int WIDTH = 32;

    /** Objects that no manifest commits. */
    public record Loose(ObjectVersions bucket, List<Version> versions) {
        /** Whether nothing of it was written at {@code time} or later. */
        boolean before(Instant time) {
            return versions.stream().allMatch(version -> version.modified().isBefore(time));
        }
    }

    /**
     * A snapshot.
     *
     * @param proof the latest of all buckets
     * @param copies what each bucket holds of it; not all of them need to have it
     */
    public record Snapshot(Manifest manifest, Optional<Proof> proof, List<Copy> copies) {
        /** As Retention decides over it, before it is asked what holds it. */
        public Stored stored() {
            return new Stored(
                    manifest.id(),
                    manifest.takenAt(),
                    manifest.lineage(),
                    proof.map(Proof::verdict),
                    Optional.empty(),
                    copies.stream()
                            .flatMap(copy -> copy.archive(manifest).stream())
                            .noneMatch(v -> v.storageClass().equals(ObjectVersions.STANDARD)));
        }
    }

    /**
     * What one bucket holds of a snapshot: every version.
     *
     * @param bucket which
     */
    public record Copy(
            ObjectVersions bucket,
            List<Version> manifests,
            List<Version> proofs,
            List<Version> archives) {
        private Copy(ObjectVersions bucket) {
            this(bucket, new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        }

        /** Whether this bucket has the whole snapshot. */
        public boolean complete(Manifest manifest) {
            return committed() && archive(manifest).isPresent();
        }

        private boolean committed() {
            return manifests.stream().anyMatch(Version::visible);
        }

        /** The archive that {@code manifest} commits. */
        public Optional<Version> archive(Manifest manifest) {
            return archives.stream()
                    .filter(v -> v.visible() && v.key().equals(manifest.archiveKey()))
                    .findFirst();
        }

        Stream<Version> all() {
            return Stream.of(manifests, proofs, archives).flatMap(List::stream);
        }

        /** Archives of runs that lost, beside the one that is committed. */
        private List<Version> lost(Manifest manifest) {
            return archive(manifest).isEmpty()
                    ? List.of()
                    : archives.stream()
                            .filter(version -> !version.key().equals(manifest.archiveKey()))
                            .toList();
        }
    }

    /**
     * Reads {@code buckets}.
     *
     * @throws Failure where one of them doesn't answer: half an inventory decides nothing
     */
    public static Inventory of(List<? extends ObjectVersions> buckets) {
        Map<String, List<Copy>> byId = new HashMap<>();
        List<List<Version>> listed = Parallel.each(buckets, ObjectVersions::list);
        for (int i = 0; i < buckets.size(); i++) {
            Map<String, Copy> here = new HashMap<>();
            for (Version version : listed.get(i)) {
                sort(version, buckets.get(i), here);
            }
            here.forEach((id, copy) -> byId.computeIfAbsent(id, it -> new ArrayList<>()).add(copy));
        }
        List<String> ids = byId.keySet().stream().sorted(Comparator.reverseOrder()).toList();
        List<Snapshot> snapshots = new ArrayList<>();
        List<String> hidden = new ArrayList<>();
        List<String> unreadable = new ArrayList<>();
        List<Loose> loose = new ArrayList<>();
        List<Read> read =
                Parallel.each(ids, WIDTH, id -> read(id, byId.getOrDefault(id, List.of())));
        for (Read one : read) {
            switch (one) {
                case Whole(Snapshot snapshot) -> {
                    snapshots.add(snapshot);
                    snapshot.copies()
                            .forEach(
                                    copy ->
                                            copy.lost(snapshot.manifest())
                                                    .forEach(
                                                            it ->
                                                                    loose.add(
                                                                            new Loose(
                                                                                    copy.bucket(),
                                                                                    List.of(it)))));
                }
                case Hidden(String id) -> hidden.add(id);
                case Unreadable(String id) -> unreadable.add(id);
                case Remains(List<Copy> copies) ->
                        copies.forEach(
                                copy -> loose.add(new Loose(copy.bucket(), copy.all().toList())));
            }
        }
        return new Inventory(snapshots, hidden, unreadable, loose);
    }

    /** The lineage that served last, as far as the snapshots tell. */
    Epoch lineage() {
        return Serving.lineage(snapshots.stream().map(Snapshot::manifest));
    }

    private sealed interface Read {}

    private record Whole(Snapshot snapshot) implements Read {}

    private record Hidden(String id) implements Read {}

    private record Unreadable(String id) implements Read {}

    private record Remains(List<Copy> copies) implements Read {}

    private static Read read(String id, List<Copy> copies) {
        if (copies.stream().allMatch(copy -> copy.manifests().isEmpty())) {
            return new Remains(copies);
        }
        try {
            Optional<Manifest> manifest =
                    copies.stream()
                            .filter(Copy::committed)
                            .map(copy -> copy.bucket().manifest(id))
                            .flatMap(Optional::stream)
                            .findFirst();
            return manifest.isEmpty()
                    ? new Hidden(id)
                    : new Whole(new Snapshot(manifest.get(), proof(id, copies), copies));
        } catch (Failure.Terminal e) {
            LOG.warn("A snapshot can't be judged and stays: {}", e.getMessage());
            return new Unreadable(id);
        }
    }

    private static Optional<Proof> proof(String id, List<Copy> copies) {
        return copies.stream()
                .filter(copy -> copy.proofs().stream().anyMatch(Inventory::provesVisibly))
                .map(copy -> copy.bucket().proof(id))
                .flatMap(Optional::stream)
                .max(Comparator.comparing(Proof::madeAt));
    }

    private static boolean provesVisibly(Version version) {
        return version.visible() && version.key().endsWith(PROOF);
    }

    private static final String MANIFEST = ".json";
    private static final String PROOF = ".proof.json";

    private static void sort(Version version, ObjectVersions bucket, Map<String, Copy> copies) {
        String key = version.key();
        String name = key.substring(key.indexOf('/') + 1);
        if (key.startsWith("manifests/") && name.endsWith(MANIFEST)) {
            copy(name.replace(MANIFEST, ""), bucket, copies).manifests().add(version);
        } else if (key.startsWith("proofs/")) {
            copy(name.replace(PROOF, "").replace(".claim", ""), bucket, copies)
                    .proofs()
                    .add(version);
        } else if (key.startsWith("archives/") && name.lastIndexOf('-') > 0) {
            copy(name.substring(0, name.lastIndexOf('-')), bucket, copies).archives().add(version);
        }
    }

    private static Copy copy(String id, ObjectVersions bucket, Map<String, Copy> copies) {
        return copies.computeIfAbsent(id, it -> new Copy(bucket));
    }
}
