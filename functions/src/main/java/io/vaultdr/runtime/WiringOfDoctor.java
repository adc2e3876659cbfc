package io.vaultdr.runtime;

import io.vaultdr.aws.KmsSealKeys;
import io.vaultdr.cluster.VaultSetup;
import io.vaultdr.doctor.Looks;
import io.vaultdr.doctor.Standing;
import io.vaultdr.model.Check;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Side;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.vault.HttpVaultClients;
import io.vaultdr.vault.Login.Intent;
import io.vaultdr.vault.ServerChecks;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import software.amazon.awssdk.arns.Arn;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What each function looks at when it is asked what is the matter: all that it uses, by the
 * adapters that it uses it with.
 */
public final class WiringOfDoctor {
    private static final Logger LOG = LoggerFactory.getLogger(WiringOfDoctor.class);

    private final Wiring wiring;
    private final PairSettings pair;

    /** The looks of functions of the pair of {@code wiring}. */
    public WiringOfDoctor(Wiring wiring) {
        this.wiring = wiring;
        this.pair = wiring.pair();
    }

    /** TakeSnapshot's. */
    public Looks takeSnapshot() {
        Looks looks = ledger(Looks.none());
        looks = servers(looks, wiring.side(), Optional.of(Intent.SNAPSHOT));
        String key =
                Manifest.archiveKey(
                        Manifest.id(pair.pair(), wiring.clock().instant(), Duration.ofMinutes(1)),
                        "doctor");
        for (var store : wiring.snapshotStores()) {
            looks = looks.writing(store, key);
        }
        return looks;
    }

    /** RotateLogins'. */
    public Looks rotateLogins() {
        return buckets(servers(ledger(Looks.none()), wiring.side(), Optional.of(Intent.ROTATE)));
    }

    /** Retention's: the buckets of its own account. */
    public Looks retention() {
        Looks looks = ledger(Looks.none());
        for (var store : wiring.snapshotStores()) {
            if (pair.own().stream().anyMatch(own -> own.region().equals(store.region()))) {
                looks = looks.reading(store);
            }
        }
        return looks;
    }

    /**
     * FreshnessCheck's.
     *
     * @param seal what opens the snapshots, where they are proven
     */
    public Looks freshness(Optional<ProofSettings.Seal> seal) {
        return key(buckets(ledger(Looks.none())), seal);
    }

    /**
     * ProveSnapshot's and RestoreSecret's; programs and the rest are its dry run's.
     *
     * @param intent which login it has
     */
    public Looks proof(ProofSettings settings, Intent intent) {
        String secret = settings.login() + "/" + intent;
        return key(Looks.none(), Optional.of(settings.seal()))
                .reading(WiringOfProof.store(wiring, settings))
                .seeing(
                        Check.LOGIN,
                        secret,
                        () -> {
                            wiring.login().check(settings.login(), intent);
                            return "the secret is there; the restored copy is who knows it";
                        });
    }

    /** Drill's; its dry run asks the rest. */
    public Looks drill() {
        return pair.failover().isPresent() ? ledger(Looks.none()) : Looks.none();
    }

    /** DrillCluster's; its servers stand only while a drill goes on. */
    public Looks drillCluster() {
        return ledger().reading(wiring.drCatalog());
    }

    /** Control's, EvaluateFailover's and Judge's: they only know the ledger. */
    public Looks ledger() {
        return ledger(Looks.none());
    }

    /** AskApproval's. */
    public Looks askApproval() {
        return ledger().pages(pair.topicArn(), wiring.pager());
    }

    /** Fence's. */
    public Looks fence() {
        Looks looks = servers(ledger(), Side.HOME, Optional.empty());
        looks =
                looks.leaving(
                        Check.DOCUMENT,
                        wiring.failover().stopDocument(),
                        "running it stops home's servers");
        for (var mark : wiring.quarantineMarks()) {
            looks =
                    looks.leaving(
                            "quarantine mark", mark.place(), "a mark keeps home's servers stopped");
        }
        return looks;
    }

    /** Promote's. */
    public Looks promote() {
        return servers(ledger(), Side.DR, Optional.empty())
                .reading(wiring.drCatalog())
                .leaving(
                        Check.DOCUMENT,
                        wiring.failover().wipeDocument()
                                + ", "
                                + wiring.failover().restartDocument(),
                        "running one stops the server");
    }

    /** Verify's. */
    public Looks verify() {
        return servers(ledger(), Side.DR, Optional.of(Intent.VERIFY));
    }

    /** Grow's. */
    public Looks grow() {
        return group(servers(ledger(), Side.DR, Optional.of(Intent.GROW)));
    }

    /** RetirePeer's. */
    public Looks retirePeer() {
        return servers(ledger(), wiring.side(), Optional.of(Intent.RETIRE))
                .pages(pair.topicArn(), wiring.pager());
    }

    /** InitializeCluster's. */
    public Looks initializeCluster() {
        return servers(Looks.none(), Side.HOME, Optional.of(Intent.CONFIGURE))
                .pages(pair.topicArn(), wiring.pager())
                .leaving(
                        Check.DOCUMENT,
                        pair.home().made().orElseThrow().wipeDocument(),
                        "running it empties the servers")
                .leaving(
                        "recovery keys",
                        pair.home().made().orElseThrow().recoveryKeys(),
                        "writing there replaces them");
    }

    /** RedirectTraffic's. */
    public Looks redirectTraffic() {
        Looks looks = askApproval();
        for (var flag : wiring.trafficFlags()) {
            looks = looks.flag(flag);
        }
        return wiring.weightedRecords().isPresent()
                ? looks.weights(
                        pair.traffic().orElseThrow().recordName(), wiring.weightedRecords().get())
                : looks;
    }

    /** CloseIncident's. */
    public Looks closeIncident() {
        return askApproval();
    }

    /** A vantage's, of one of its pairs. */
    public Looks probe() {
        Looks looks = ledger();
        for (Side side : Side.values()) {
            looks = servers(looks, side, Optional.empty());
        }
        return looks;
    }

    private Looks ledger(Looks looks) {
        return pair.failover().isPresent()
                ? looks.ledger(wiring.failover().table(), wiring.ledger())
                : looks;
    }

    private Looks buckets(Looks looks) {
        Looks more = looks;
        for (var store : wiring.snapshotStores()) {
            more = more.reading(store);
        }
        return more;
    }

    private Looks key(Looks looks, Optional<ProofSettings.Seal> seal) {
        Optional<String> key = seal.filter(it -> it.keyId().isEmpty()).map(ProofSettings.Seal::key);
        return key.isPresent()
                ? looks.key(
                        key.get(),
                        () ->
                                new KmsSealKeys(
                                                wiring.aws()
                                                        .kms(
                                                                Arn.fromString(key.get())
                                                                        .region()
                                                                        .orElse(wiring.region())))
                                        .state(key.get()))
                : looks;
    }

    private Looks group(Looks looks) {
        return looks.group(
                wiring.dr().autoScalingGroup().orElse("none"),
                wiring.dr().voters(),
                wiring.capacity());
    }

    private Looks servers(Looks looks, Side side, Optional<Intent> intent) {
        PairSettings.Cluster cluster = pair.cluster(side);
        return looks.and(
                Check.HEALTH,
                cluster.address().toString(),
                () ->
                        serverChecks()
                                .look(
                                        cluster,
                                        Standing.of(pair, side, serves()),
                                        intent.map(this::access)));
    }

    private ServerChecks.Access access(Intent intent) {
        return new ServerChecks.Access(
                intent, new VaultSetup(List.of(), pair.made()).needs(intent));
    }

    private ServerChecks serverChecks() {
        return new ServerChecks(
                HttpVaultClients.of(pair, wiring.authorities(), HttpVaultClients.Limits.DEFAULT),
                wiring.login(),
                wiring.clock(),
                ServerChecks.Limits.DEFAULT);
    }

    private Optional<Side> serves() {
        try {
            return Optional.of(wiring.serving().side());
        } catch (Failure e) {
            // The look at the ledger says so.
            LOG.warn("Home is taken to serve: {}", e.getMessage());
            return Optional.empty();
        }
    }
}
