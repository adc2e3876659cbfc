package io.vaultdr.failover;

import io.vaultdr.failover.Readiness.Newest;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.snapshot.Catalog;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.Proof;
import io.vaultdr.snapshot.Proofs;
import io.vaultdr.snapshot.SnapshotChoice;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.LeaderFinder.Finding;
import io.vaultdr.vault.VaultClient.NodeStatus;

import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Looks whether the DR side could take over: a blank node answers (none has to where the strategy
 * is a pilot light), its group exists and may grow to all voters, the logins of the steps are
 * there, a snapshot of the lineage is committed. What can't be looked at counts as missing, and
 * says so.
 */
public final class ReadinessCheck implements Probing.ReadinessLook {
    private static final Duration NODES_ANSWER = Duration.ofSeconds(5);

    /** Enough as a rule; each manifest and each proof is a call to S3. */
    private static final int FEW = 3;

    /** How many snapshots are looked through for one of the lineage that is proven. */
    private static final int NEWEST = 20;

    private static final List<String> INTENTS = List.of("snapshot", "verify", "grow");

    private final String vantage;
    private final PairSettings pair;
    private final LeaderFinder finder;
    private final StandbySide standby;
    private final Catalog catalog;
    private final Proofs proofs;
    private final Clock clock;

    /**
     * Looks at the DR side of {@code pair}.
     *
     * @param catalog the snapshots in the DR region's bucket
     * @param proofs of the same bucket
     */
    public ReadinessCheck(
            String vantage,
            PairSettings pair,
            LeaderFinder finder,
            StandbySide standby,
            Catalog catalog,
            Proofs proofs,
            Clock clock) {
        this.vantage = vantage;
        this.pair = pair;
        this.finder = finder;
        this.standby = standby;
        this.catalog = catalog;
        this.proofs = proofs;
        this.clock = clock;
    }

    @Override
    public Readiness look(PairState state) {
        PairSettings.Cluster dr = pair.dr().orElseThrow();
        List<String> missing = new ArrayList<>();
        List<Newest> newest = new ArrayList<>();
        looked(missing, "The DR nodes", found -> blankNode(dr, found));
        looked(missing, "The DR side's Auto Scaling group", found -> group(dr, found));
        looked(missing, "The DR side's logins", found -> logins(dr, found));
        looked(
                missing,
                "The snapshots in " + catalog.region(),
                found -> snapshots(state.lineage(), found).ifPresent(newest::add));
        return new Readiness(vantage, clock.instant(), missing, newest.stream().findFirst());
    }

    private static void looked(List<String> missing, String what, Consumer<List<String>> look) {
        try {
            look.accept(missing);
        } catch (Failure e) {
            missing.add(what + " couldn't be looked at: " + e.getMessage());
        }
    }

    private void blankNode(PairSettings.Cluster dr, List<String> missing) {
        unready(pair.failover().orElseThrow().strategy(), finder.find(dr, NODES_ANSWER))
                .ifPresent(missing::add);
    }

    /** What the nodes of a DR side lack: a blank one where one stands by, otherwise any. */
    static Optional<String> unready(PairSettings.Failover.Strategy strategy, Finding found) {
        return switch (found) {
            case Finding.Active(var node, _) ->
                    Optional.of("DR node " + node.address() + " is active; it must be blank.");
            case Finding.NoneActive none -> {
                boolean blank =
                        none.answers().stream()
                                .flatMap(answer -> answer.status().stream())
                                .anyMatch(NodeStatus.NOT_INITIALISED::equals);
                yield switch (strategy) {
                    case WARM_STANDBY ->
                            blank
                                    ? Optional.empty()
                                    : Optional.of(
                                            "No DR node is blank (answers 501): " + none + ".");
                    case PILOT_LIGHT ->
                            blank || none.silent()
                                    ? Optional.empty()
                                    : Optional.of(
                                            "A DR node is initialised; none is to run there: "
                                                    + none
                                                    + ".");
                };
            }
        };
    }

    private void group(PairSettings.Cluster dr, List<String> missing) {
        StandbySide.Group group = standby.group();
        if (group.max() < dr.voters()) {
            missing.add(
                    "The DR side's Auto Scaling group may have "
                            + group.max()
                            + " instances; "
                            + dr.voters()
                            + " voters are configured.");
        }
    }

    private void logins(PairSettings.Cluster dr, List<String> missing) {
        INTENTS.stream()
                // By AWS it needs no secret.
                .filter(intent -> dr.awsLogin().isEmpty() || !intent.equals("snapshot"))
                .filter(intent -> !standby.hasLogin(intent))
                .forEach(
                        intent ->
                                missing.add(
                                        "Secret "
                                                + dr.login()
                                                + "/"
                                                + intent
                                                + " isn't in "
                                                + dr.region()
                                                + "."));
    }

    /** What a promotion would begin with; what is missing of proof is told. */
    private Optional<Newest> snapshots(Epoch lineage, List<String> missing) {
        PairSettings.Failover failover = pair.failover().orElseThrow();
        Proofs seen = proofs.remembering();
        List<Manifest> few = newest(FEW, lineage);
        List<Manifest> snapshots = SnapshotChoice.proven(few, seen) ? few : newest(NEWEST, lineage);
        failover.provenMaxAge()
                .flatMap(limit -> unproven(snapshots, seen, limit))
                .ifPresent(missing::add);
        return SnapshotChoice.first(snapshots, seen, failover.prefer())
                .map(SnapshotChoice::snapshot)
                .map(m -> new Newest(m.id(), lineage, m.takenAt(), m.index()));
    }

    private List<Manifest> newest(int limit, Epoch lineage) {
        return catalog.newest(limit).stream()
                .filter(m -> m.lineage().filter(lineage::equals).isPresent())
                .toList();
    }

    private Optional<String> unproven(List<Manifest> snapshots, Proofs seen, Duration limit) {
        Optional<String> proven =
                seen.newestProven(snapshots.stream().map(Manifest::id).toList()).map(Proof::id);
        Optional<Manifest> newest =
                snapshots.stream().filter(m -> proven.equals(Optional.of(m.id()))).findFirst();
        if (newest.isEmpty()) {
            return Optional.of(
                    "None of the newest "
                            + snapshots.size()
                            + " snapshots in "
                            + catalog.region()
                            + " is proven.");
        }
        Duration age = Duration.between(newest.get().takenAt(), clock.instant());
        return age.compareTo(limit) <= 0
                ? Optional.empty()
                : Optional.of(
                        "The newest proven snapshot in "
                                + catalog.region()
                                + " is "
                                + age.toMinutes()
                                + " min old; at the most "
                                + limit.toMinutes()
                                + " min are configured.");
    }
}
