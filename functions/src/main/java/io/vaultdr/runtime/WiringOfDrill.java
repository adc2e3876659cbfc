package io.vaultdr.runtime;

import io.vaultdr.aws.KmsSigner;
import io.vaultdr.aws.LambdaTakeSnapshots;
import io.vaultdr.aws.S3Arrivals;
import io.vaultdr.aws.S3Bucket;
import io.vaultdr.aws.S3DrillBucket;
import io.vaultdr.aws.S3Proofs;
import io.vaultdr.aws.StepFunctionsDryRuns;
import io.vaultdr.doctor.Looks;
import io.vaultdr.drill.Drill;

import java.util.Optional;

/** What a drill uses beside the pair's {@link Wiring}. */
public final class WiringOfDrill {
    private final Wiring wiring;
    private final DrillSettings settings;

    /** The adapters of a drill with {@code settings}. */
    public WiringOfDrill(Wiring wiring, DrillSettings settings) {
        this.wiring = wiring;
        this.settings = settings;
    }

    /** The drill that the function's environment describes. */
    public static WiringOfDrill ofEnvironment() {
        return new WiringOfDrill(
                Wiring.ofPair(), Settings.part(System.getenv(), "DRILL", DrillSettings.class));
    }

    /** The pair's metrics. */
    public PairMetrics metrics() {
        return PairMetrics.embedded(wiring.pair().pair());
    }

    /** What a drill uses. */
    public Looks looks() {
        return new WiringOfDoctor(wiring).drill();
    }

    /** The drill. */
    public Drill drill() {
        PairSettings pair = wiring.pair();
        // Proofs are made from the last one, wherever the drill itself runs.
        PairSettings.Bucket bucket = pair.buckets().getLast();
        Optional<PairSettings.Failover> failover = pair.failover();
        return new Drill(
                pair,
                settings,
                new Drill.Ports(
                        failover.map(_ -> wiring.ledger()),
                        failover.map(
                                _ ->
                                        new StepFunctionsDryRuns(
                                                wiring.aws().stepFunctions(wiring.dr().region()),
                                                wiring.executions())),
                        new LambdaTakeSnapshots(wiring.aws(), settings),
                        new S3Bucket(wiring.aws(), bucket, pair.pair(), wiring.clock()),
                        new S3Arrivals(wiring.aws().s3(bucket), bucket),
                        new S3Proofs(wiring.aws(), bucket, wiring.clock()),
                        new S3DrillBucket(wiring.aws().s3(settings.bucket()), settings.bucket()),
                        new KmsSigner(wiring.aws().kms(wiring.region()), settings.signingKey())),
                metrics(),
                wiring.clock());
    }
}
