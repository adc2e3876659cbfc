package io.vaultdr.cli;

import com.fasterxml.jackson.core.JsonProcessingException;

import io.vaultdr.aws.S3ObjectVersions;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.snapshot.Inventory.Snapshot;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.ObjectVersions;
import io.vaultdr.snapshot.PoisonGuard;
import io.vaultdr.snapshot.Proof;
import io.vaultdr.snapshot.Retention.Decision;
import io.vaultdr.snapshot.RetentionRun;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** {@code snapshots PAIR}: what there is, what it is worth, and what comes of it. */
@Command(
        name = "snapshots",
        header = "Lists a pair's snapshots; thaws one.",
        description = {
            "Reads the buckets of all regions with your own credentials, without any function: it"
                    + " works while everything else is down. A bucket that doesn't answer is"
                    + " named and left out; a ledger that doesn't is named, and the newest"
                    + " snapshot's lineage stands for what it says.",
            "",
            "PROOF  proven: a server restored it and read its canary back. checked: the archive is"
                    + " intact, nothing more is known. refuted: it can't be used.",
            "NEXT   what Retention does with it at its next run, and the rule that decides; with a"
                    + " copy in another account what each one does.",
            ""
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:listed",
            "1:there is none",
            "2:no such configuration or pair",
            "3:no bucket answered"
        },
        subcommands = ThawCommand.class,
        mixinStandardHelpOptions = true)
final class SnapshotsCommand implements Callable<Integer> {
    private static final Duration PATIENCE = Duration.ofMinutes(15);

    @Spec private @Nullable CommandSpec spec;
    @Mixin private PairBuckets buckets = new PairBuckets();

    @Parameters(
            paramLabel = "PAIR",
            arity = "0..1",
            description = "The pair's name in the configuration.")
    private String pair = "";

    @Option(
            names = "--limit",
            paramLabel = "N",
            description = "How many of the newest. Default: ${DEFAULT-VALUE}; 0: all")
    private int limit = 20;

    @Option(names = "--json", description = "Print what was found as JSON, one line.")
    private boolean json;

    /** One line of the table, and an element of the JSON. */
    private record Row(
            String id,
            Instant takenAt,
            long bytes,
            long index,
            Optional<Epoch> lineage,
            Optional<Proof.Verdict> verdict,
            Optional<Proof.Reason> reason,
            Optional<Instant> provedAt,
            Map<String, String> copies,
            String next,
            String rule) {
        static Row of(Snapshot snapshot, Decision decision) {
            Manifest manifest = snapshot.manifest();
            return new Row(
                    manifest.id(),
                    manifest.takenAt(),
                    manifest.bytes(),
                    manifest.index(),
                    manifest.lineage(),
                    snapshot.proof().map(Proof::verdict),
                    snapshot.proof().flatMap(Proof::reason),
                    snapshot.proof().map(Proof::madeAt),
                    snapshot.copies().stream()
                            .filter(copy -> copy.complete(manifest))
                            .collect(
                                    Collectors.toMap(
                                            copy -> copy.bucket().region(),
                                            copy ->
                                                    copy.archive(manifest)
                                                            .map(
                                                                    ObjectVersions.Version
                                                                            ::storageClass)
                                                            .orElse(""),
                                            (a, b) -> a,
                                            TreeMap::new)),
                    decision.action().name().toLowerCase(Locale.ROOT),
                    decision.rule().name());
        }

        /** The same snapshot in another account, whose Retention decides for itself. */
        Row and(Row other) {
            Map<String, String> everywhere = new TreeMap<>(copies);
            everywhere.putAll(other.copies);
            boolean later =
                    other.provedAt.isPresent()
                            && (provedAt.isEmpty() || other.provedAt.get().isAfter(provedAt.get()));
            Row proof = later ? other : this;
            boolean agreed = next.equals(other.next) && rule.equals(other.rule);
            return new Row(
                    id,
                    takenAt,
                    bytes,
                    index,
                    lineage,
                    proof.verdict,
                    proof.reason,
                    proof.provedAt,
                    everywhere,
                    agreed ? next : fate() + ", " + other.fate(),
                    agreed ? rule : rule + ", " + other.rule);
        }

        private String fate() {
            return next + " in " + String.join(" ", copies.keySet());
        }

        String proof() {
            return verdict.map(
                                    it ->
                                            switch (it) {
                                                case PROVEN -> "proven";
                                                case REFUTED -> "refuted";
                                                case UNDECIDED, NOT_PROVABLE_HERE -> "checked";
                                            })
                            .orElse("checked")
                    + reason.map(it -> ": " + it).orElse("");
        }
    }

    @Override
    public Integer call() throws JsonProcessingException {
        if (pair.isBlank()) {
            throw new Unusable("snapshots without PAIR: expected a pair's name, or thaw");
        }
        if (limit < 0) {
            throw new Unusable("--limit " + limit + ": expected 0 (all) or more");
        }
        PairBuckets.Found found = buckets.find(pair);
        List<String> silent = new ArrayList<>();
        List<RetentionRun.Plan> plans =
                answering(found, silent).stream()
                        .map(
                                together ->
                                        new RetentionRun(
                                                        _ -> false,
                                                        found.wiring()::serving,
                                                        found.wiring().proven(),
                                                        found.keep(),
                                                        together,
                                                        measures -> {})
                                                .plan(
                                                        new Deadline(
                                                                Clock.systemUTC(),
                                                                Clock.systemUTC()
                                                                        .instant()
                                                                        .plus(PATIENCE))))
                        .toList();
        TreeMap<String, Row> all = new TreeMap<>(Comparator.reverseOrder());
        plans.forEach(plan -> rows(plan).forEach(row -> all.merge(row.id(), row, Row::and)));
        List<Row> rows = all.values().stream().limit(limit == 0 ? Long.MAX_VALUE : limit).toList();
        Listing listing =
                new Listing(
                        pair,
                        all.size(),
                        plans.stream().flatMap(plan -> plan.freeze().stream()).findFirst(),
                        silent,
                        plans.stream().allMatch(plan -> plan.ledger().isEmpty()),
                        plans.stream()
                                .flatMap(plan -> plan.inventory().hidden().stream())
                                .distinct()
                                .toList(),
                        rows);
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        if (json) {
            out.println(Json.MAPPER.writeValueAsString(listing));
        } else {
            print(out, listing, plans.getFirst(), found.settings().apart());
        }
        out.flush();
        return rows.isEmpty() ? Exit.NEGATIVE : Exit.EXPECTED;
    }

    private static Stream<Row> rows(RetentionRun.Plan plan) {
        Map<String, Decision> decisions =
                plan.decisions().stream()
                        .collect(Collectors.toMap(d -> d.snapshot().id(), Function.identity()));
        return plan.inventory().snapshots().stream()
                .map(
                        snapshot ->
                                Row.of(
                                        snapshot,
                                        Objects.requireNonNull(
                                                decisions.get(snapshot.manifest().id()))));
    }

    /**
     * The JSON.
     *
     * @param silent regions whose bucket doesn't answer
     * @param ledgerAnswers whether {@code next} goes by what the ledger says
     */
    private record Listing(
            String pair,
            int count,
            Optional<PoisonGuard.Freeze> freeze,
            List<String> silent,
            boolean ledgerAnswers,
            List<String> hidden,
            List<Row> snapshots) {}

    /** Buckets that answer, those together that one Retention decides over. */
    private static List<List<ObjectVersions>> answering(
            PairBuckets.Found found, List<String> silent) {
        Map<String, List<ObjectVersions>> answering = new LinkedHashMap<>();
        Optional<Failure> last = Optional.empty();
        for (PairSettings.Bucket bucket : found.settings().buckets()) {
            ObjectVersions one =
                    new S3ObjectVersions(
                            found.clients().apply(bucket), bucket, found.settings().pair());
            try {
                one.frozen();
                answering.computeIfAbsent(bucket.account(), _ -> new ArrayList<>()).add(one);
            } catch (Failure e) {
                silent.add(bucket.region());
                last = Optional.of(e);
            }
        }
        if (answering.isEmpty() && last.isPresent()) {
            throw last.get();
        }
        return List.copyOf(answering.values());
    }

    private static void print(
            PrintWriter out, Listing listing, RetentionRun.Plan plan, boolean apart) {
        listing.silent()
                .forEach(
                        region ->
                                out.println(
                                        "The bucket in "
                                                + region
                                                + " doesn't answer; what only it has is not shown,"
                                                + (apart
                                                        ? " and each account's Retention goes on"
                                                                + " for itself. For another account"
                                                                + " name a profile with"
                                                                + " --copy-profile."
                                                        : " and Retention does nothing"
                                                                + " meanwhile.")));
        plan.ledger()
                .ifPresent(
                        why ->
                                out.println(
                                        "The ledger doesn't answer ("
                                                + why.getMessage()
                                                + "). NEXT is counted as if lineage "
                                                + plan.lineage()
                                                + " served, the newest snapshot's; Retention"
                                                + (apart ? " of home's account" : "")
                                                + " does nothing meanwhile."));
        listing.freeze()
                .ifPresent(
                        freeze ->
                                out.printf(
                                        "Retention is frozen, nothing goes: in %s %s. See"
                                                + " 'retention accept'.%n",
                                        freeze.sample().id(),
                                        freeze.falls().stream()
                                                .map(Object::toString)
                                                .collect(Collectors.joining(", "))));
        listing.hidden().forEach(id -> out.println(id + " is hidden behind a delete marker."));
        List<Row> rows = listing.snapshots();
        if (rows.isEmpty()) {
            out.println("no committed snapshot");
            return;
        }
        List<List<String>> table = new ArrayList<>();
        table.add(List.of("ID", "TAKEN", "SIZE", "INDEX", "LINEAGE", "PROOF", "WHERE", "NEXT"));
        rows.forEach(
                row ->
                        table.add(
                                List.of(
                                        row.id(),
                                        row.takenAt().truncatedTo(ChronoUnit.SECONDS).toString(),
                                        Sizes.text(row.bytes()),
                                        Long.toString(row.index()),
                                        row.lineage().map(Object::toString).orElse("unknown"),
                                        row.proof(),
                                        where(row.copies()),
                                        row.next() + " (" + row.rule() + ")")));
        out.print(Sizes.table(table));
        int more = listing.count() - rows.size();
        if (more > 0) {
            out.println(more + " older ones; --limit 0 shows all.");
        }
    }

    private static String where(Map<String, String> copies) {
        return copies.entrySet().stream()
                .map(
                        copy ->
                                copy.getValue().equals(ObjectVersions.STANDARD)
                                        ? copy.getKey()
                                        : copy.getKey() + "=" + copy.getValue())
                .collect(Collectors.joining(" "));
    }
}
