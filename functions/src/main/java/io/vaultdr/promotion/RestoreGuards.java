package io.vaultdr.promotion;

import io.vaultdr.snapshot.Manifest;
import io.vaultdr.vault.LeaderFinder.Answer;
import io.vaultdr.vault.LeaderFinder.Finding;
import io.vaultdr.vault.VaultClient.NodeStatus;
import io.vaultdr.vault.VaultClient.SealStatus;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * What has to be so before a snapshot is restored into a cluster that a person names. A restore
 * into several nodes leaves them in different states, one into a cluster that serves ends what
 * serves, and a server that can't open the snapshot or is older than it seals itself or worse.
 */
public final class RestoreGuards {
    private RestoreGuards() {}

    /**
     * Why a snapshot must not be restored as things stand; nothing where it may.
     *
     * @param edition which server the cluster runs, {@code openbao} or {@code vault}
     * @param nodes what each node of the cluster said
     * @param seal what the blank node says of itself; empty where none is blank
     */
    public static List<String> refusals(
            Manifest snapshot, String edition, Finding nodes, Optional<SealStatus> seal) {
        List<String> refusals = new ArrayList<>(nodes(nodes));
        Manifest.RestoreNeeds needs = snapshot.needs();
        if (!needs.edition().equals(edition)) {
            refusals.add(
                    "The snapshot is "
                            + needs.edition()
                            + "'s and the cluster runs "
                            + edition
                            + ": restore it into a cluster of its own edition.");
        }
        seal.ifPresent(
                blank -> {
                    if (!needs.sealType().equals(blank.type())) {
                        refusals.add(
                                "The snapshot was sealed by "
                                        + needs.sealType()
                                        + " and the node's seal is "
                                        + blank.type()
                                        + ": configure the same seal and key on it.");
                    }
                    String version = blank.version().orElse("unknown");
                    if (older(version, needs.version())) {
                        refusals.add(
                                "The snapshot is of version "
                                        + needs.version()
                                        + " and the node runs "
                                        + version
                                        + ": install that version or a newer one.");
                    }
                });
        return List.copyOf(refusals);
    }

    private static List<String> nodes(Finding nodes) {
        if (nodes instanceof Finding.Active active) {
            return List.of(
                    "Node "
                            + active.node().address()
                            + " is active: the cluster serves. Stop all of its servers, and wipe"
                            + " the one to restore into.");
        }
        List<Answer> answers = ((Finding.NoneActive) nodes).answers();
        List<Answer> blank = answers.stream().filter(RestoreGuards::blank).toList();
        List<String> refusals = new ArrayList<>();
        if (blank.isEmpty()) {
            refusals.add(
                    "No node is blank (501): "
                            + nodes
                            + ". Start the server on one of them, with empty data.");
        }
        if (blank.size() > 1) {
            refusals.add(
                    blank.size()
                            + " nodes are blank ("
                            + String.join(
                                    ", ", blank.stream().map(a -> a.node().toString()).toList())
                            + "), expected one: stop the servers of the others, they join"
                            + " afterwards.");
        }
        answers.stream()
                .filter(answer -> answer.status().isPresent() && !blank(answer))
                .map(
                        answer ->
                                "Node "
                                        + answer
                                        + ": stop its server and wipe it before it joins again.")
                .forEach(refusals::add);
        return refusals;
    }

    private static boolean blank(Answer answer) {
        return answer.status().equals(Optional.of(NodeStatus.NOT_INITIALISED));
    }

    /** Compares the numbers of {@code 2.7.2+ent.hsm}; what has none counts as oldest. */
    static boolean older(String version, String than) {
        int[] own = numbers(version);
        int[] other = numbers(than);
        for (int i = 0; i < Math.max(own.length, other.length); i++) {
            int difference =
                    Integer.compare(i < own.length ? own[i] : 0, i < other.length ? other[i] : 0);
            if (difference != 0) {
                return difference < 0;
            }
        }
        return false;
    }

    private static int[] numbers(String version) {
        return Arrays.stream(version.replaceFirst("[^0-9.].*", "").split("\\."))
                .filter(part -> !part.isEmpty())
                .mapToInt(Integer::parseInt)
                .toArray();
    }
}
