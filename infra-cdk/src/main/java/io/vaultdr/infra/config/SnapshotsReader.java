package io.vaultdr.infra.config;

import io.vaultdr.infra.config.Config.Existing;
import io.vaultdr.infra.config.Config.Lock;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Config.Snapshots;
import io.vaultdr.runtime.RetentionSettings;
import io.vaultdr.runtime.RetentionSettings.Archive;

import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Reads how snapshots are taken, kept, locked and moved to a colder class. */
final class SnapshotsReader {
    private static final Duration DAY = Duration.ofDays(1);

    private SnapshotsReader() {}

    /**
     * A colder class of S3.
     *
     * @param days for how many days an object there is paid at least
     * @param month what a GB costs a month, us-east-1, in USD
     * @see <a href="https://aws.amazon.com/s3/pricing/">S3's prices</a>
     */
    private record Cold(int days, double month) {}

    private static final Map<String, Cold> COLD =
            Map.of(
                    "GLACIER_IR",
                    new Cold(90, 0.004),
                    "GLACIER",
                    new Cold(90, 0.0036),
                    "DEEP_ARCHIVE",
                    new Cold(180, 0.00099));

    static Snapshots read(Section section) {
        Duration every =
                section.optional("every", Kind.duration(Duration.ofMinutes(5), DAY))
                        .orElse(Duration.ofHours(1));
        if (DAY.toMinutes() % Math.max(1, every.toMinutes()) != 0
                || every.toSeconds() % 60 != 0
                || (every.toMinutes() > 60 ? every.toMinutes() % 60 : 60 % every.toMinutes())
                        != 0) {
            section.mistake(
                    "every", Kind.written(every), "a part of an hour or of a day, such as 15m, 6h");
        }
        Optional<Archive> archive = section.section("archive").map(SnapshotsReader::archive);
        RetentionSettings keep = keep(section, archive);
        Optional<Lock> lock = section.section("lock").map(SnapshotsReader::lock);
        Snapshots snapshots =
                new Snapshots(
                        every,
                        section.optional("largest", Kind.size(1L << 20, Sizes.LARGEST))
                                .orElse(1L << 30),
                        keep,
                        lock,
                        new TreeMap<>(
                                section.sectionOrEmpty("existing")
                                        .each(
                                                Kind.REGION,
                                                (_, bucket) -> SnapshotsReader.existing(bucket))));
        if (section.good()) {
            together(section, snapshots);
        }
        section.finish();
        return snapshots;
    }

    private static RetentionSettings keep(Section section, Optional<Archive> archive) {
        if (!section.has("keep")) {
            return new RetentionSettings(24, 0, 30, 0, 0, archive);
        }
        Section keep = section.sectionOrEmpty("keep");
        RetentionSettings settings =
                new RetentionSettings(
                        keep.optional("last", Kind.number(1, 10_000)).orElse(24),
                        keep.optional("hourly", Kind.number(0, 10_000)).orElse(0),
                        keep.optional("daily", Kind.number(0, 3_650)).orElse(0),
                        keep.optional("weekly", Kind.number(0, 520)).orElse(0),
                        keep.optional("monthly", Kind.number(0, 120)).orElse(0),
                        archive);
        keep.finish();
        return settings;
    }

    private static Archive archive(Section section) {
        Archive archive =
                new Archive(
                        section.required("class", Kind.COLD_CLASS),
                        section.required("after", Kind.duration(DAY, Duration.ofDays(3_650))));
        section.finish();
        return archive;
    }

    private static Lock lock(Section section) {
        Lock lock =
                new Lock(
                        section.required("days", Kind.number(1, 3_650)),
                        section.optional("mode", Kind.oneOf(Lock.Mode.class))
                                .orElse(Lock.Mode.GOVERNANCE));
        section.finish();
        return lock;
    }

    private static Existing existing(Section section) {
        Existing existing =
                new Existing(
                        section.required("bucket", Kind.BUCKET),
                        section.required("key", Kind.KMS_KEY));
        section.finish();
        return existing;
    }

    /** What is only wrong together with the rest of the pair. */
    static void together(Pair pair, Section section) {
        pair.snapshots()
                .existing()
                .forEach(
                        (region, existing) -> {
                            if (!pair.bucketRegions().contains(region)) {
                                section.mistake(
                                        "snapshots",
                                        "a bucket in " + region,
                                        "one of the regions that snapshots go to: "
                                                + String.join(", ", pair.bucketRegions()));
                            }
                            if (!existing.key().contains(":kms:" + region + ":")) {
                                section.mistake(
                                        "snapshots",
                                        existing.key() + " for a bucket in " + region,
                                        "the key of that region, a replica where it is one of"
                                                + " several");
                            }
                            if (pair.copyAccount().isPresent()
                                    && pair.copyTo().filter(region::equals).isPresent()) {
                                section.mistake(
                                        "snapshots",
                                        "a bucket in " + region + " with copyAccount",
                                        "none there: that home may only add is said by the"
                                                + " bucket's policy, which the stack makes");
                            }
                        });
    }

    private static void together(Section section, Snapshots snapshots) {
        Map<String, Duration> spans = spans(snapshots);
        Duration longest = Collections.max(spans.values());
        snapshots
                .lock()
                .filter(lock -> Duration.ofDays(lock.days()).compareTo(longest) > 0)
                .ifPresent(
                        lock ->
                                section.mistake(
                                        "lock",
                                        lock.days() + " days",
                                        "not more than keep holds anything, "
                                                + Kind.written(longest)
                                                + ": nothing could go when it should"));
        snapshots.keep().archive().ifPresent(it -> archived(section, snapshots, it, spans));
    }

    /** How old a snapshot gets at the most by each rule, where none is missing. */
    private static Map<String, Duration> spans(Snapshots snapshots) {
        RetentionSettings keep = snapshots.keep();
        Map<String, Duration> spans = new LinkedHashMap<>();
        spans.put("last: " + keep.last(), snapshots.every().multipliedBy(keep.last()));
        spans.put("hourly: " + keep.hourly(), Duration.ofHours(keep.hourly()));
        spans.put("daily: " + keep.daily(), Duration.ofDays(keep.daily()));
        spans.put("weekly: " + keep.weekly(), Duration.ofDays(7L * keep.weekly()));
        spans.put("monthly: " + keep.monthly(), Duration.ofDays(30L * keep.monthly()));
        return spans;
    }

    /** A colder class is paid for a while even if the object goes before that. */
    private static void archived(
            Section section, Snapshots snapshots, Archive archive, Map<String, Duration> spans) {
        if (Collections.max(spans.values()).compareTo(archive.after()) <= 0) {
            section.mistake(
                    "archive",
                    "after " + Kind.written(archive.after()),
                    "less than keep holds anything, "
                            + Kind.written(Collections.max(spans.values()))
                            + ", or no archive");
        }
        Cold cold = COLD.get(archive.storageClass());
        if (cold == null) {
            return;
        }
        Duration locked = Duration.ofDays(snapshots.lock().map(Lock::days).orElse(0));
        spans.forEach(
                (rule, span) -> {
                    Duration end = span.compareTo(locked) > 0 ? span : locked;
                    long there = end.minus(archive.after()).toDays();
                    if (span.compareTo(archive.after()) > 0 && there < cold.days()) {
                        long missing = cold.days() - there;
                        section.mistake(
                                "archive",
                                String.format(
                                        Locale.ROOT,
                                        "after %s, so that what only 'keep.%s' holds goes after %d"
                                                + " days in %s",
                                        Kind.written(archive.after()),
                                        rule,
                                        there,
                                        archive.storageClass()),
                                String.format(
                                        Locale.ROOT,
                                        "%d days there, which are paid in any case: the missing %d"
                                                + " cost %.4f USD for each GB of each snapshot;"
                                                + " archive later, or keep longer",
                                        cold.days(),
                                        missing,
                                        cold.month() * missing / 30));
                    }
                });
    }
}
