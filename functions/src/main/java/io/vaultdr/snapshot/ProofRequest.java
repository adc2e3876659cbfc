package io.vaultdr.snapshot;

import io.vaultdr.model.Failure;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What somebody wants proven. */
public sealed interface ProofRequest {
    /** The key of a manifest. */
    Pattern MANIFEST = Pattern.compile("manifests/([A-Za-z0-9-]+)\\.json");

    /** What S3 calls it when an archive can be read again. */
    String THAWED = "Object Restore Completed";

    /** The key of an archive: the snapshot's id and a nonce. */
    Pattern ARCHIVE = Pattern.compile("archives/([A-Za-z0-9-]+)-[A-Za-z0-9]+\\.snap");

    /** Its manifest arrived: it is proven unless it was tried to the end before. */
    record Arrived(String id) implements ProofRequest {}

    /** The newest one that needs it, if any. */
    record Sweep() implements ProofRequest {}

    /**
     * A person wants it, or its archive is back from a Glacier class: whatever was found before.
     */
    record Asked(String id) implements ProofRequest {}

    /** All the way but the restore. */
    record DryRun() implements ProofRequest {}

    /**
     * Reads an event: S3's by EventBridge, a schedule's, {@code {"snapshot":"<id>"}} or {@code
     * {"dryRun":true}}.
     *
     * @throws Failure.Terminal where it is none of them
     */
    static ProofRequest of(Map<String, Object> event) {
        if (Boolean.TRUE.equals(event.get("dryRun"))) {
            return new DryRun();
        }
        if (event.get("snapshot") instanceof String id) {
            return new Asked(id);
        }
        if ("Scheduled Event".equals(event.get("detail-type"))) {
            return new Sweep();
        }
        if (event.get("detail") instanceof Map<?, ?> detail
                && detail.get("object") instanceof Map<?, ?> object
                && object.get("key") instanceof String key) {
            Matcher manifest = MANIFEST.matcher(key);
            if (manifest.matches()) {
                return new Arrived(manifest.group(1));
            }
            Matcher archive = ARCHIVE.matcher(key);
            if (THAWED.equals(event.get("detail-type")) && archive.matches()) {
                return new Asked(archive.group(1));
            }
        }
        throw new Failure.Terminal(
                "read the event",
                "it names no snapshot",
                "Send an S3 event of a manifest or a thawed archive, a scheduled event,"
                        + " {\"snapshot\": \"<id>\"} or {\"dryRun\": true}, as in"
                        + " events/prove-snapshot.json");
    }
}
