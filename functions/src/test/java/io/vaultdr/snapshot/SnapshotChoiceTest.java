package io.vaultdr.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.model.PairId;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.PairSettings.Failover.Prefer;
import io.vaultdr.snapshot.Proof.Reason;

import org.junit.jupiter.api.Test;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** Which snapshot a promotion begins with, as a table: proofs newest first → ids in order. */
class SnapshotChoiceTest {
    private static final Instant NOW = Instant.parse("2026-11-23T17:00:00Z");

    private record Row(Prefer prefer, String proofs, String order) {}

    /** P proven, R refuted, U undecided, N not provable here, - none, ! can't be read. */
    private static final List<Row> TABLE =
            List.of(
                    new Row(Prefer.PROVEN, "-P-", "1 0 2"),
                    new Row(Prefer.PROVEN, "PPP", "0 1 2"),
                    new Row(Prefer.PROVEN, "--P", "2 0 1"),
                    new Row(Prefer.PROVEN, "R-P", "2 1 0"),
                    new Row(Prefer.PROVEN, "---", "0 1 2"),
                    new Row(Prefer.PROVEN, "RUN", "1 2 0"),
                    new Row(Prefer.PROVEN, "RRR", "0 1 2"),
                    new Row(Prefer.PROVEN, "!P-", "1 0 2"),
                    new Row(Prefer.PROVEN, "!!!", "0 1 2"),
                    new Row(Prefer.LESS_LOSS, "-P-", "0 1 2"),
                    new Row(Prefer.LESS_LOSS, "RP-", "1 2 0"),
                    new Row(Prefer.LESS_LOSS, "RRR", "0 1 2"),
                    new Row(Prefer.LESS_LOSS, "!P-", "0 1 2"));

    @Test
    void ordersThemAsTheTableSays() {
        for (Row row : TABLE) {
            List<SnapshotChoice> order =
                    SnapshotChoice.order(snapshots(3), proofs(row.proofs()), row.prefer());
            assertEquals(
                    Arrays.asList(row.order().split(" ")),
                    order.stream().map(it -> it.snapshot().id()).toList(),
                    row.toString());
        }
    }

    @Test
    void theFirstIsTheSameAndReadsNoMoreThanItTakes() {
        for (Row row : TABLE) {
            List<String> read = new ArrayList<>();
            Proofs counted = counted(proofs(row.proofs()), read);
            List<Manifest> all = snapshots(3);
            assertEquals(
                    SnapshotChoice.order(all, proofs(row.proofs()), row.prefer()).stream()
                            .map(SnapshotChoice::snapshot)
                            .findFirst(),
                    SnapshotChoice.first(all, counted.remembering(), row.prefer())
                            .map(SnapshotChoice::snapshot),
                    row.toString());
            boolean allCanBeRead = row.proofs().indexOf('!') < 0;
            if (allCanBeRead) {
                assertEquals(read.stream().distinct().toList(), read, row.toString());
            }
        }
        List<String> read = new ArrayList<>();
        SnapshotChoice.first(snapshots(3), counted(proofs("PPP"), read), Prefer.LESS_LOSS);
        assertEquals(List.of("0", "0"), read, "looked at, then told why");
    }

    private static Proofs counted(Proofs bucket, List<String> read) {
        return new Proofs() {
            @Override
            public String region() {
                return bucket.region();
            }

            @Override
            public Optional<Proof> of(String id) {
                read.add(id);
                return bucket.of(id);
            }

            @Override
            public void write(Proof proof) {
                bucket.write(proof);
            }
        };
    }

    @Test
    void saysWhyInTheIncident() {
        List<SnapshotChoice> proven =
                SnapshotChoice.order(snapshots(3), proofs("R-P"), Prefer.PROVEN);
        assertEquals(
                "it is the newest proven one (proof of 2026-11-23T17:00:00Z); newer and not proven:"
                        + " 1; newer and refuted: 0",
                proven.get(0).why());
        assertTrue(proven.get(2).why().endsWith("it is REFUTED (CANARY_OLD)"));
        assertEquals(
                "the newest sound one is preferred, for it loses least; it is checked, and not"
                        + " proven; newer and refuted: 0, 1",
                SnapshotChoice.order(snapshots(3), proofs("RR-"), Prefer.LESS_LOSS)
                        .getFirst()
                        .why());
        assertEquals(
                "the newest sound one is preferred, for it loses least; it is proven",
                SnapshotChoice.order(snapshots(2), proofs("PR"), Prefer.LESS_LOSS)
                        .getFirst()
                        .why());
    }

    private static List<Manifest> snapshots(int count) {
        return IntStream.range(0, count).mapToObj(SnapshotChoiceTest::snapshot).toList();
    }

    private static Manifest snapshot(int number) {
        return new Manifest(
                Integer.toString(number),
                new PairId("payments"),
                Side.HOME,
                NOW.minusSeconds(60L * number),
                Optional.of(Epoch.ZERO),
                1,
                "00",
                1,
                1,
                "cluster",
                "nonce",
                new Manifest.RestoreNeeds(
                        "openbao", "2.7.2", "static", Optional.empty(), Map.of(), List.of()));
    }

    private static Proofs proofs(String all) {
        return new Proofs() {
            @Override
            public String region() {
                return "eu-central-1";
            }

            @Override
            public Optional<Proof> of(String id) {
                return switch (all.charAt(Integer.parseInt(id))) {
                    case 'P' -> Optional.of(proof(id, Optional.empty()));
                    case 'R' -> Optional.of(proof(id, Optional.of(Reason.CANARY_OLD)));
                    case 'U' -> Optional.of(proof(id, Optional.of(Reason.SERVER_DIED)));
                    case 'N' -> Optional.of(proof(id, Optional.of(Reason.TOO_LARGE)));
                    case '!' -> throw new Failure.Retryable("read a proof", "no answer", "Again");
                    default -> Optional.empty();
                };
            }

            @Override
            public void write(Proof proof) {
                throw new UnsupportedOperationException();
            }
        };
    }

    private static Proof proof(String id, Optional<Reason> reason) {
        return Proof.bare(
                id,
                new PairId("payments"),
                reason.map(Reason::verdict).orElse(Proof.Verdict.PROVEN),
                reason,
                reason.map(it -> "a sentence"),
                NOW,
                "eu-central-1",
                1);
    }
}
