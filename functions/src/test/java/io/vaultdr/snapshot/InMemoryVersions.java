package io.vaultdr.snapshot;

import io.vaultdr.snapshot.PoisonGuard.Acceptance;
import io.vaultdr.snapshot.PoisonGuard.Freeze;
import io.vaultdr.snapshot.Retention.Hold;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A bucket in memory; one contract holds it and the adapter on S3. */
class InMemoryVersions implements ObjectVersions {
    private record Entry(Object value, String versionId, boolean marker, Instant at, String kind) {}

    private final String region;
    private final Map<String, List<Entry>> objects = new HashMap<>();
    private final Map<String, Hold> holds = new HashMap<>();
    private final List<String> tagged = new ArrayList<>();
    private Runnable beforeEachChange = () -> {};
    private int made;

    InMemoryVersions(String region) {
        this.region = region;
    }

    /** Puts a snapshot's manifest and archive, and its proof. */
    InMemoryVersions with(Manifest manifest, Optional<Proof> proof) {
        put(manifest.archiveKey(), "archive", manifest.takenAt());
        put(Manifest.key(manifest.id()), manifest, manifest.takenAt());
        proof.ifPresent(it -> put(Proof.key(it.id()), it, it.madeAt()));
        return this;
    }

    synchronized void put(String key, Object value, Instant at) {
        versions(key).addFirst(new Entry(value, "v" + made++, false, at, STANDARD));
    }

    synchronized void hide(String key, Instant at) {
        versions(key).addFirst(new Entry("", "v" + made++, true, at, STANDARD));
    }

    synchronized void hold(String key, Hold by) {
        holds.put(key, by);
    }

    synchronized void cool(String key, String storageClass) {
        versions(key)
                .replaceAll(
                        e -> new Entry(e.value(), e.versionId(), e.marker(), e.at(), storageClass));
    }

    synchronized List<String> tagged() {
        return List.copyOf(tagged);
    }

    synchronized List<String> keys() {
        return objects.keySet().stream().sorted().toList();
    }

    /** Runs before each call that changes something: a place to die. */
    void beforeEachChange(Runnable run) {
        beforeEachChange = run;
    }

    private List<Entry> versions(String key) {
        return objects.computeIfAbsent(key, it -> new ArrayList<>());
    }

    @Override
    public String region() {
        return region;
    }

    @Override
    public List<Version> list() {
        return listed();
    }

    private synchronized List<Version> listed() {
        List<Version> all = new ArrayList<>();
        objects.forEach(
                (key, versions) -> {
                    for (Entry entry : versions) {
                        if (!key.startsWith("retention/")) {
                            all.add(
                                    new Version(
                                            key,
                                            entry.versionId(),
                                            entry.versionId()
                                                    .equals(versions.getFirst().versionId()),
                                            entry.marker(),
                                            entry.at(),
                                            entry.kind()));
                        }
                    }
                });
        all.sort(Comparator.comparing(Version::key));
        return all;
    }

    private synchronized <T> Optional<T> read(String key, Class<T> type) {
        return Optional.ofNullable(objects.get(key))
                .map(List::getFirst)
                .filter(entry -> !entry.marker())
                .map(entry -> type.cast(entry.value()));
    }

    @Override
    public Optional<Manifest> manifest(String id) {
        return read(Manifest.key(id), Manifest.class);
    }

    @Override
    public Optional<Proof> proof(String id) {
        return read(Proof.key(id), Proof.class);
    }

    @Override
    public synchronized boolean lockable() {
        return !holds.isEmpty();
    }

    @Override
    public synchronized Optional<Hold> hold(Version version, Instant now) {
        return Optional.ofNullable(holds.get(version.key()));
    }

    @Override
    public Map<Version, String> delete(List<Version> versions) {
        if (!versions.isEmpty()) {
            // Before the lock: what runs here may look into other buckets.
            beforeEachChange.run();
        }
        return remove(versions);
    }

    private synchronized Map<Version, String> remove(List<Version> versions) {
        Map<Version, String> refused = new HashMap<>();
        for (Version version : versions) {
            if (holds.containsKey(version.key()) && !version.marker()) {
                refused.put(version, "AccessDenied");
            } else if (objects.containsKey(version.key())) {
                List<Entry> left = versions(version.key());
                left.removeIf(entry -> entry.versionId().equals(version.versionId()));
                if (left.isEmpty()) {
                    objects.remove(version.key());
                }
            }
        }
        return refused;
    }

    @Override
    public void archive(String key) {
        beforeEachChange.run();
        tag(key);
    }

    private synchronized void tag(String key) {
        tagged.add(key);
    }

    @Override
    public Optional<Freeze> frozen() {
        return read("retention/frozen.json", Freeze.class);
    }

    @Override
    public void freeze(Freeze freeze) {
        beforeEachChange.run();
        if (frozen().isEmpty()) {
            put("retention/frozen.json", freeze, freeze.at());
        }
    }

    @Override
    public void unfreeze() {
        beforeEachChange.run();
        if (frozen().isPresent()) {
            hide("retention/frozen.json", Instant.EPOCH);
        }
    }

    @Override
    public Optional<Acceptance> accepted() {
        return read("retention/accepted.json", Acceptance.class);
    }

    @Override
    public void accept(Acceptance acceptance) {
        beforeEachChange.run();
        put("retention/accepted.json", acceptance, acceptance.at());
    }
}
