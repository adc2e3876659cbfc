package io.vaultdr.snapshot;

import io.vaultdr.model.Failure;
import io.vaultdr.runtime.PairSettings.Failover.Prefer;
import io.vaultdr.snapshot.Proof.Verdict;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * In which order a promotion tries snapshots.
 *
 * <table>
 *   <caption>first to last, each newest first</caption>
 *   <tr><th>prefer</th><th>order</th></tr>
 *   <tr><td>PROVEN</td><td>the newest proven · those that nothing is known against · refuted</td></tr>
 *   <tr><td>LESS_LOSS</td><td>those that nothing is known against · refuted</td></tr>
 * </table>
 *
 * A proof that can't be read counts as none: it must not stop a promotion. What is newer than a
 * choice and comes after it is named in its reason, since it is what restoring the choice gives up.
 *
 * @param snapshot to try
 * @param why it comes at this place, as the incident says it
 */
public record SnapshotChoice(Manifest snapshot, String why) {
    /**
     * Orders {@code newestFirst}.
     *
     * @param proofs of the bucket that is restored from
     */
    public static List<SnapshotChoice> order(
            List<Manifest> newestFirst, Proofs proofs, Prefer prefer) {
        Optional<SnapshotChoice> proven = Optional.empty();
        List<SnapshotChoice> open = new ArrayList<>();
        List<SnapshotChoice> refuted = new ArrayList<>();
        for (Manifest snapshot : newestFirst) {
            Optional<Proof> proof = proof(snapshot, proofs);
            if (proof.filter(it -> it.verdict() == Verdict.REFUTED).isPresent()) {
                refuted.add(new SnapshotChoice(snapshot, why(proof, prefer)));
            } else if (prefer == Prefer.PROVEN
                    && proven.isEmpty()
                    && proof.filter(Proof::proven).isPresent()) {
                String why = "it is the newest proven one (proof of " + proof.get().madeAt() + ")";
                String newer = newer("not proven", open) + newer("refuted", refuted);
                proven = Optional.of(new SnapshotChoice(snapshot, why + newer));
            } else {
                open.add(
                        new SnapshotChoice(
                                snapshot, why(proof, prefer) + newer("refuted", refuted)));
            }
        }
        List<SnapshotChoice> all = new ArrayList<>();
        proven.ifPresent(all::add);
        all.addAll(open);
        all.addAll(refuted);
        return List.copyOf(all);
    }

    /**
     * The first of {@link #order}, for which no more proofs are read than it takes.
     *
     * @param proofs as for {@link #order}; {@link Proofs#remembering} spares a second reading
     */
    public static Optional<SnapshotChoice> first(
            List<Manifest> newestFirst, Proofs proofs, Prefer prefer) {
        for (int read = 1; read <= newestFirst.size(); read++) {
            Manifest snapshot = newestFirst.get(read - 1);
            Optional<Proof> proof = proof(snapshot, proofs);
            boolean decided =
                    prefer == Prefer.PROVEN
                            ? proof.filter(Proof::proven).isPresent()
                            : proof.filter(it -> it.verdict() == Verdict.REFUTED).isEmpty();
            if (decided) {
                return order(newestFirst.subList(0, read), proofs, prefer).stream().findFirst();
            }
        }
        return order(newestFirst, proofs, prefer).stream().findFirst();
    }

    /** Whether one of them is the newest proven one. */
    public static boolean proven(List<Manifest> snapshots, Proofs proofs) {
        return snapshots.stream()
                .anyMatch(one -> proof(one, proofs).filter(Proof::proven).isPresent());
    }

    private static Optional<Proof> proof(Manifest snapshot, Proofs proofs) {
        try {
            return proofs.of(snapshot.id());
        } catch (Failure e) {
            return Optional.empty();
        }
    }

    private static String newer(String and, List<SnapshotChoice> choices) {
        return choices.isEmpty()
                ? ""
                : choices.stream()
                        .map(it -> it.snapshot().id())
                        .collect(Collectors.joining(", ", "; newer and " + and + ": ", ""));
    }

    private static String why(Optional<Proof> proof, Prefer prefer) {
        String first =
                prefer == Prefer.LESS_LOSS
                        ? "the newest sound one is preferred, for it loses least"
                        : proof.filter(Proof::proven).isPresent()
                                ? "the newest proven one could not be used"
                                : "no snapshot that could be used is proven";
        return first
                + "; it is "
                + proof.map(
                                it ->
                                        it.proven()
                                                ? "proven"
                                                : it.verdict()
                                                        + it.reason()
                                                                .map(reason -> " (" + reason + ")")
                                                                .orElse(""))
                        .orElse("checked, and not proven");
    }
}
