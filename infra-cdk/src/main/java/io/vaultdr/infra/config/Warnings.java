package io.vaultdr.infra.config;

import io.vaultdr.infra.config.Config.Lock;
import io.vaultdr.infra.config.Config.Pair;

import java.util.ArrayList;
import java.util.List;

/** What a configuration may be, but nobody should be surprised by: said before it is deployed. */
public final class Warnings {
    private Warnings() {}

    /** The warnings about {@code pair}, each a sentence or two. */
    public static List<String> of(Pair pair) {
        List<String> warnings = new ArrayList<>();
        String at = "pairs." + pair.id() + ".";
        pair.snapshots()
                .lock()
                .filter(lock -> lock.mode() == Lock.Mode.COMPLIANCE)
                .ifPresent(
                        lock ->
                                warnings.add(
                                        at
                                                + "snapshots.lock: mode compliance means that"
                                                + " nobody can delete a snapshot or shorten its"
                                                + " lock for "
                                                + lock.days()
                                                + " days, neither the account's root user nor AWS,"
                                                + " and that the bytes are paid until then; only"
                                                + " closing the account ends it. It doesn't save"
                                                + " snapshots whose KMS key is deleted."));
        pair.proving()
                .filter(prove -> !Sizes.provable(pair.snapshots().largest()))
                .ifPresent(
                        prove ->
                                warnings.add(
                                        at
                                                + "snapshots.largest: a snapshot above "
                                                + Kind.written(Sizes.LARGEST_PROVABLE)
                                                + " is not provable here; none of them counts as"
                                                + " proven, and a failover restores the newest"
                                                + " checked one."));
        pair.proving()
                .flatMap(prove -> prove.network())
                .ifPresent(
                        network ->
                                warnings.add(
                                        at
                                                + "prove.network: "
                                                + network.vpc()
                                                + " must have no way but to S3, KMS and Secrets"
                                                + " Manager: a restored copy revokes the leases"
                                                + " that have expired since, at the databases and"
                                                + " clouds that it reaches."));
        if (pair.copyAccount().isPresent() && pair.snapshots().lock().isEmpty()) {
            warnings.add(
                    at
                            + "copyAccount: home's account can't delete there, but what it writes"
                            + " is believed: false snapshots push true ones out by"
                            + " snapshots.keep. What holds against that is snapshots.lock, for as"
                            + " long as it takes you to notice.");
        }
        if (pair.proving().isPresent() && pair.copyTo().isEmpty()) {
            warnings.add(
                    at
                            + "copyTo: without it all snapshots and their proofs are in "
                            + pair.home().region()
                            + " and lost with it.");
        }
        pair.snapshots()
                .existing()
                .forEach(
                        (region, existing) ->
                                warnings.add(
                                        at
                                                + "snapshots.existing."
                                                + region
                                                + ": nothing of "
                                                + existing.bucket()
                                                + " is made or changed here. It has to be"
                                                + " versioned, without a rule that expires current"
                                                + " objects, with EventBridge notifications on and "
                                                + existing.key()
                                                + " as its default encryption; the key's policy has"
                                                + " to let IAM of the account decide"
                                                + lock(pair)
                                                + archive(pair)
                                                + "."));
        return List.copyOf(warnings);
    }

    private static String lock(Pair pair) {
        return pair.snapshots()
                .lock()
                .map(it -> "; object lock of " + it.days() + " days is its default retention")
                .orElse("");
    }

    /** Retention tags what goes; that it goes is the bucket's own rule. */
    private static String archive(Pair pair) {
        return pair.snapshots()
                .keep()
                .archive()
                .map(
                        it ->
                                "; a lifecycle rule moves what is tagged vault-dr-class=archive to "
                                        + it.storageClass())
                .orElse("");
    }
}
