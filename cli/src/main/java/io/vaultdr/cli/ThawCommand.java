package io.vaultdr.cli;

import io.vaultdr.aws.S3Archives;
import io.vaultdr.aws.S3Archives.State;
import io.vaultdr.aws.S3ObjectVersions;
import io.vaultdr.model.Failure;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.snapshot.Manifest;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;

/** {@code snapshots thaw ID}: brings an archive back from a Glacier class. */
@Command(
        name = "thaw",
        header = "Brings a snapshot back from a Glacier class.",
        description = {
            "Asks S3 for a readable copy and returns at once; nothing runs meanwhile. When the copy"
                    + " is there, S3's event starts ProveSnapshot, and 'snapshots' shows the"
                    + " verdict. Then restore it.",
            "",
            "                 GLACIER             DEEP_ARCHIVE",
            "  expedited      1 to 5 minutes      -",
            "  standard       3 to 5 hours        within 12 hours",
            "  bulk           5 to 12 hours       within 48 hours",
            "",
            "Repeating it does no harm: it then says how far it is."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:asked for, under way, or readable",
            "1:no such snapshot in that bucket, or not back in time (--wait)",
            "2:no such configuration, pair or tier",
            "3:S3 didn't do it"
        },
        mixinStandardHelpOptions = true)
final class ThawCommand implements Callable<Integer> {
    /** Longer than S3's slowest promise. */
    private static final Duration LONGEST = Duration.ofHours(50);

    @Spec private @Nullable CommandSpec spec;
    @Mixin private PairBuckets buckets = new PairBuckets();

    @Parameters(paramLabel = "ID", description = "The snapshot's id, as 'snapshots' shows it.")
    private String id = "";

    /** How fast S3 brings it back. */
    enum Tier {
        STANDARD,
        BULK,
        EXPEDITED;

        String word() {
            return name().charAt(0) + name().substring(1).toLowerCase(Locale.ROOT);
        }

        /** How long it takes from a class, as S3's documentation says. */
        String takes(boolean deep) {
            return switch (this) {
                case EXPEDITED -> "1 to 5 minutes";
                case STANDARD -> deep ? "up to 12 hours" : "3 to 5 hours";
                case BULK -> deep ? "up to 48 hours" : "5 to 12 hours";
            };
        }

        /** US dollars per GB, list price of us-east-1; other regions differ a little. */
        double perGb(boolean deep) {
            return switch (this) {
                case EXPEDITED -> 0.03;
                case STANDARD -> deep ? 0.02 : 0.01;
                case BULK -> deep ? 0.0025 : 0;
            };
        }
    }

    @Option(
            names = "--tier",
            paramLabel = "TIER",
            description = "standard, bulk or expedited. Default: standard")
    private String tier = "standard";

    @Option(
            names = "--days",
            paramLabel = "N",
            description = "How long the copy stays. Default: ${DEFAULT-VALUE}")
    private int days = 7;

    @Option(
            names = "--region",
            paramLabel = "REGION",
            description = "Whose bucket. Default: where snapshots are proven, the DR region")
    private @Nullable String region;

    @Option(
            names = "--wait",
            description = "Look every five minutes until it is back, at most 50 hours.")
    private boolean wait;

    @Option(
            names = "--look-every",
            paramLabel = "DURATION",
            hidden = true,
            description = "How often --wait looks.")
    private Duration every = Duration.ofMinutes(5);

    @Override
    public Integer call() {
        Tier speed = tier();
        if (days < 1) {
            throw new Unusable("--days " + days + ": expected 1 or more");
        }
        PairBuckets.Found found = buckets.find(pair());
        PairSettings.Bucket bucket = bucket(found.settings());
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        Optional<Manifest> committed =
                new S3ObjectVersions(found.clients().apply(bucket), bucket, found.settings().pair())
                        .manifest(id);
        if (committed.isEmpty()) {
            out.println(id + ": no such snapshot in " + bucket.region() + "; see 'snapshots'");
            out.flush();
            return Exit.NEGATIVE;
        }
        Manifest manifest = committed.get();
        S3Archives archives = new S3Archives(found.clients().apply(bucket), bucket);
        State state = state(archives, manifest);
        if (state instanceof State.Frozen frozen) {
            thaw(archives, manifest, frozen, speed, out);
            state = new State.Thawing(frozen.storageClass());
        } else {
            out.println(told(state));
        }
        out.flush();
        return wait ? waited(archives, manifest, state, out) : Exit.EXPECTED;
    }

    private Tier tier() {
        for (Tier one : Tier.values()) {
            if (one.name().equalsIgnoreCase(tier)) {
                return one;
            }
        }
        throw new Unusable("--tier " + tier + ": expected standard, bulk or expedited");
    }

    /** Ids begin with their pair's name: {@code payments-20261123T170000Z}. */
    private String pair() {
        if (!id.matches("[a-z][a-z0-9-]*-\\d{8}T\\d{6}Z")) {
            throw new Unusable(
                    "'" + id + "': expected a snapshot's id such as payments-20261123T170000Z");
        }
        return id.substring(0, id.lastIndexOf('-'));
    }

    private PairSettings.Bucket bucket(PairSettings settings) {
        String wanted = region == null ? settings.buckets().getLast().region() : region;
        return settings.buckets().stream()
                .filter(one -> one.region().equals(wanted))
                .findFirst()
                .orElseThrow(
                        () ->
                                new Unusable(
                                        "--region "
                                                + wanted
                                                + ": expected one of "
                                                + settings.buckets().stream()
                                                        .map(PairSettings.Bucket::region)
                                                        .toList()));
    }

    private static State state(S3Archives archives, Manifest manifest) {
        return archives.state(manifest.archiveKey())
                .orElseThrow(
                        () ->
                                new Failure.Terminal(
                                        "look at " + manifest.archiveKey(),
                                        "the manifest is there and the archive isn't",
                                        "Try the other region's bucket with --region"));
    }

    private void thaw(
            S3Archives archives,
            Manifest manifest,
            State.Frozen frozen,
            Tier speed,
            PrintWriter out) {
        boolean deep = frozen.storageClass().equals("DEEP_ARCHIVE");
        if (deep && speed == Tier.EXPEDITED) {
            throw new Unusable(
                    "--tier expedited: "
                            + id
                            + " is in DEEP_ARCHIVE, expected standard (up to 12 hours) or bulk");
        }
        archives.thaw(manifest.archiveKey(), speed.word(), days);
        double gb = frozen.bytes() / 1e9;
        // The copy is paid like S3 Standard, beside the archived object.
        double dollars = gb * speed.perGb(deep) + gb * 0.023 * days / 30;
        out.printf(
                Locale.ROOT,
                "%s is being brought back from %s: %s, for %d days, about $%.2f (%s; us-east-1 list"
                        + " price).%nS3's event then starts ProveSnapshot; 'snapshots %s' shows"
                        + " the verdict.%n",
                id,
                frozen.storageClass(),
                speed.takes(deep),
                days,
                dollars,
                Sizes.text(frozen.bytes()),
                manifest.pair());
    }

    private String told(State state) {
        return switch (state) {
            case State.AtOnce(String storageClass) ->
                    id + " can be read at once (" + storageClass + "); nothing was asked for";
            case State.Thawing(String storageClass) ->
                    id + " is being brought back from " + storageClass + " already";
            case State.Thawed(String storageClass, String until) ->
                    id + " was brought back from " + storageClass + " and stays until " + until;
            case State.Frozen(String storageClass, long bytes) ->
                    id + " is in " + storageClass + ", " + Sizes.text(bytes);
        };
    }

    /** Looks rarely: S3 needs hours, and its event starts the proof without anybody waiting. */
    private int waited(S3Archives archives, Manifest manifest, State first, PrintWriter out) {
        Instant end = Instant.now().plus(LONGEST);
        State state = first;
        while (state instanceof State.Thawing && Instant.now().isBefore(end)) {
            try {
                Thread.sleep(every);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                break;
            }
            state = state(archives, manifest);
        }
        if (!state.equals(first)) {
            out.println(told(state));
            out.flush();
        }
        return state instanceof State.AtOnce || state instanceof State.Thawed
                ? Exit.EXPECTED
                : Exit.NEGATIVE;
    }
}
