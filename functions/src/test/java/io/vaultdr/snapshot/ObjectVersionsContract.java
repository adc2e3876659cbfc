package io.vaultdr.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.model.Epoch;
import io.vaultdr.snapshot.ObjectVersions.Version;
import io.vaultdr.snapshot.PoisonGuard.Acceptance;
import io.vaultdr.snapshot.PoisonGuard.Freeze;
import io.vaultdr.snapshot.PoisonGuard.Sample;
import io.vaultdr.snapshot.Proof.Verdict;
import io.vaultdr.snapshot.Retention.Hold;

import org.junit.jupiter.api.Test;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What a bucket does, the one in memory and the one on S3. */
abstract class ObjectVersionsContract {
    static final Instant NOW = Instant.parse("2026-11-23T17:00:00Z");
    static final Manifest MANIFEST =
            Snapshots.taken(NOW.minusSeconds(3600), Optional.of(Epoch.ZERO), 1000);

    /** An empty bucket, with object lock or without. */
    abstract ObjectVersions bucket(boolean lockable);

    /** Puts an object; a record becomes JSON. */
    abstract void put(String key, Object value);

    /** Puts a delete marker. */
    abstract void hide(String key);

    abstract void hold(String key, Hold by);

    @Test
    void listsEveryVersionAndMarker() {
        ObjectVersions bucket = bucket(false);
        assertEquals(List.of(), bucket.list());
        put(Manifest.key(MANIFEST.id()), MANIFEST);
        put(Manifest.key(MANIFEST.id()), MANIFEST);
        put(MANIFEST.archiveKey(), "archive");
        put("proofs/" + MANIFEST.id() + ".claim", "claim");
        hide(MANIFEST.archiveKey());

        List<Version> all = bucket.list();

        assertEquals(5, all.size(), all::toString);
        assertEquals(1, all.stream().filter(Version::marker).count());
        assertEquals(
                1,
                all.stream().filter(v -> v.key().startsWith("manifests/") && v.visible()).count());
        assertTrue(all.stream().noneMatch(v -> v.key().startsWith("archives/") && v.visible()));
        assertTrue(all.stream().allMatch(v -> v.storageClass().equals(ObjectVersions.STANDARD)));
        assertTrue(!bucket.lockable());
    }

    @Test
    void readsManifestsAndProofs() {
        ObjectVersions bucket = bucket(false);
        Proof proof = Snapshots.proof(MANIFEST, Verdict.PROVEN, Optional.empty());
        put(Manifest.key(MANIFEST.id()), MANIFEST);
        put(Proof.key(MANIFEST.id()), proof);

        assertEquals(Optional.of(MANIFEST), bucket.manifest(MANIFEST.id()));
        assertEquals(Optional.of(proof), bucket.proof(MANIFEST.id()));
        hide(Manifest.key(MANIFEST.id()));
        assertEquals(Optional.empty(), bucket.manifest(MANIFEST.id()));
        assertEquals(Optional.empty(), bucket.proof("payments-20200101T000000Z"));
    }

    @Test
    void deletesVersionsForGoodAndAgain() {
        ObjectVersions bucket = bucket(false);
        put(MANIFEST.archiveKey(), "archive");
        put(MANIFEST.archiveKey(), "another");
        hide(MANIFEST.archiveKey());
        List<Version> all = bucket.list();

        assertEquals(Map.of(), bucket.delete(all));
        assertEquals(List.of(), bucket.list());
        assertEquals(Map.of(), bucket.delete(all), "what is gone counts as deleted");
        assertEquals(Map.of(), bucket.delete(List.of()));
    }

    @Test
    void refusesWhatIsHeldKeyByKey() {
        ObjectVersions bucket = bucket(true);
        put(MANIFEST.archiveKey(), "archive");
        put(Manifest.key(MANIFEST.id()), MANIFEST);
        put(Proof.key(MANIFEST.id()), "proof");
        hold(MANIFEST.archiveKey(), Hold.LOCKED);
        hold(Proof.key(MANIFEST.id()), Hold.LEGAL_HOLD);
        List<Version> all = bucket.list();

        assertTrue(bucket.lockable());
        for (Version version : all) {
            assertEquals(
                    version.key().startsWith("archives/")
                            ? Optional.of(Hold.LOCKED)
                            : version.key().startsWith("proofs/")
                                    ? Optional.of(Hold.LEGAL_HOLD)
                                    : Optional.empty(),
                    bucket.hold(version, NOW),
                    version::toString);
        }
        Map<Version, String> refused = bucket.delete(all);
        assertEquals(2, refused.size(), refused::toString);
        assertTrue(refused.values().stream().allMatch("AccessDenied"::equals), refused::toString);
        assertEquals(2, bucket.list().size());
    }

    @Test
    void freezesOnceAndRemembersAPersonsWord() {
        ObjectVersions bucket = bucket(false);
        Freeze first = freeze(NOW);
        Acceptance word = new Acceptance(NOW, "ada", "meant", first.sample());
        assertEquals(Optional.empty(), bucket.frozen());
        assertEquals(Optional.empty(), bucket.accepted());

        bucket.freeze(first);
        bucket.freeze(freeze(NOW.plusSeconds(60)));
        assertEquals(Optional.of(first), bucket.frozen(), "the first one stays");
        bucket.accept(word);
        bucket.unfreeze();
        bucket.unfreeze();
        assertEquals(Optional.empty(), bucket.frozen());
        assertEquals(Optional.of(word), bucket.accepted());
        bucket.freeze(freeze(NOW.plusSeconds(90)));
        assertTrue(bucket.frozen().isPresent());
        assertEquals(List.of(), bucket.list(), "it is no snapshot's");
    }

    private static Freeze freeze(Instant at) {
        return new Freeze(at, Sample.of(MANIFEST, Optional.empty()), List.of());
    }
}
