package io.vaultdr.runtime;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.aws.DynamoDbEvidence;
import io.vaultdr.aws.DynamoDbLedger;
import io.vaultdr.aws.SnsPager;
import io.vaultdr.aws.StepFunctionsExecutions;
import io.vaultdr.failover.Evaluation;
import io.vaultdr.failover.EvidenceLog;
import io.vaultdr.failover.Executions;
import io.vaultdr.failover.Gathering;
import io.vaultdr.failover.Ledger;
import io.vaultdr.failover.Pager;
import io.vaultdr.model.Failure;

import software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider;

import java.time.Clock;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * A pair's adapters, each made once and at first use: a function pays only for what it touches.
 * Nothing here decides anything.
 */
public final class Wiring {
    private final String region;
    private final PairSettings pair;
    private final Clock clock;
    private final AwsClients aws;
    private final Map<Class<?>, Object> made = new HashMap<>();

    /**
     * The adapters of {@code pair}.
     *
     * @param region the region that the function runs in
     */
    public Wiring(String region, PairSettings pair, Clock clock, AwsClients aws) {
        this.region = region;
        this.pair = pair;
        this.clock = clock;
        this.aws = aws;
    }

    /** The adapters of the pair that the function's environment names. */
    public static Wiring ofPair() {
        Settings.OfPair settings = Settings.ofPair(System.getenv());
        return new Wiring(settings.region(), settings.pair(), Clock.systemUTC(), awsClients());
    }

    /** Clients with the credentials that Lambda puts into the environment. */
    public static AwsClients awsClients() {
        return new AwsClients(EnvironmentVariableCredentialsProvider.create());
    }

    /** The region that the function runs in. */
    public String region() {
        return region;
    }

    /** The pair's settings. */
    public PairSettings pair() {
        return pair;
    }

    /** What time it is. */
    public Clock clock() {
        return clock;
    }

    /** The SDK clients. */
    public AwsClients aws() {
        return aws;
    }

    /** The pair's ledger, in its DR region. */
    public Ledger ledger() {
        return once(
                Ledger.class,
                () ->
                        new DynamoDbLedger(
                                aws.dynamoDb(drRegion()), failover().table(), pair.pair()));
    }

    /** The probes' evidence, beside the ledger. */
    public EvidenceLog evidence() {
        return once(
                EvidenceLog.class,
                () ->
                        new DynamoDbEvidence(
                                aws.dynamoDb(drRegion()),
                                failover().table(),
                                pair.vantages().stream()
                                        .map(PairSettings.Vantage::region)
                                        .toList()));
    }

    /** The executions of the pair's failover. */
    public Executions executions() {
        return once(
                Executions.class,
                () ->
                        new StepFunctionsExecutions(
                                aws.stepFunctions(drRegion()),
                                failover().stateMachineArn(),
                                pair.pair()));
    }

    /** Reads what a verdict rests on. */
    public Gathering gathering() {
        return once(Gathering.class, () -> new Gathering(pair, ledger(), evidence(), clock));
    }

    /** Evaluates the pair. */
    public Evaluation evaluation() {
        return once(
                Evaluation.class,
                () ->
                        new Evaluation(
                                pair,
                                ledger(),
                                evidence(),
                                executions(),
                                pager(),
                                clock,
                                Sleep.on(clock)));
    }

    /** Pages through the topic of the function's own region. */
    public Pager pager() {
        return once(Pager.class, () -> new SnsPager(aws.sns(region), pair.topicArn()));
    }

    /** What only exists from the rung {@code observe} on. */
    public PairSettings.Failover failover() {
        return pair.failover()
                .orElseThrow(
                        () ->
                                new Failure.Terminal(
                                        "wire pair " + pair.pair(),
                                        "its settings have no failover part",
                                        "Raise its stage to observe or higher and deploy it"));
    }

    private String drRegion() {
        return pair.dr()
                .map(PairSettings.Cluster::region)
                .orElseThrow(
                        () ->
                                new Failure.Terminal(
                                        "wire pair " + pair.pair(),
                                        "its settings have no DR cluster",
                                        "Configure the pair's dr part and deploy it"));
    }

    /** Not a concurrent map's computeIfAbsent: making one adapter may ask for another. */
    private synchronized <T> T once(Class<T> type, Supplier<T> make) {
        Object adapter = made.get(type);
        if (adapter == null) {
            adapter = make.get();
            made.put(type, adapter);
        }
        return type.cast(adapter);
    }
}
