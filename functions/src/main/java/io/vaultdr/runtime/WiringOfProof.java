package io.vaultdr.runtime;

import io.vaultdr.aws.KmsSealKeys;
import io.vaultdr.aws.S3Artifacts;
import io.vaultdr.aws.S3Bucket;
import io.vaultdr.aws.S3Proofs;
import io.vaultdr.aws.S3Recovered;
import io.vaultdr.aws.SecretValues;
import io.vaultdr.doctor.Looks;
import io.vaultdr.model.Failure;
import io.vaultdr.snapshot.IsolatedRestore;
import io.vaultdr.snapshot.ProofRun;
import io.vaultdr.snapshot.Prover;
import io.vaultdr.snapshot.SecretRecovery;
import io.vaultdr.snapshot.SnapshotStore;
import io.vaultdr.vault.Login;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** What restores in isolation, wired for the function that it runs in. */
public final class WiringOfProof {
    private static final Logger LOG = LoggerFactory.getLogger(WiringOfProof.class);

    /** What the JVM takes beside its heap. */
    private static final long BESIDE_HEAP = 192L << 20;

    /** No restore needs more of a heap: archives go through it in blocks. */
    private static final long HEAP = 256L << 20;

    /** Left free in scratch space. */
    private static final long SPARE = 64L << 20;

    private final Wiring wiring;
    private final ProofSettings settings;
    private final Map<String, String> environment;
    private final Path scratch;
    private final S3Artifacts artifacts;
    private Duration patience = Duration.ofSeconds(30);
    private long mostScratch = Long.MAX_VALUE;

    /**
     * @param environment which the memory and the server's credentials are taken from
     * @param scratch a directory of the function's own
     */
    public WiringOfProof(
            Wiring wiring, ProofSettings settings, Map<String, String> environment, Path scratch) {
        this.wiring = wiring;
        this.scratch = scratch;
        this.settings = settings;
        this.environment = environment;
        this.artifacts =
                new S3Artifacts(
                        wiring.aws().s3(settings.bucket().region()), scratch.resolve("artifacts"));
    }

    /** For the function's own environment. */
    public static WiringOfProof ofEnvironment() {
        Wiring wiring = Wiring.ofPair();
        return new WiringOfProof(
                wiring,
                Settings.part(System.getenv(), "PROOF", ProofSettings.class),
                System.getenv(),
                wiring.scratch());
    }

    /** How long a server that runs may say nothing before it counts as hung. */
    public WiringOfProof patience(Duration other) {
        patience = other;
        return this;
    }

    /** The most that the server's files may take, where that is less than what is free. */
    public WiringOfProof scratchBytes(long most) {
        mostScratch = most;
        return this;
    }

    /** What time it is, and the rest that isn't proof's own. */
    public Wiring wiring() {
        return wiring;
    }

    /** What the function is told. */
    public ProofSettings settings() {
        return settings;
    }

    /** The bucket whose snapshots are restored. */
    public SnapshotStore store() {
        return store(wiring, settings);
    }

    static SnapshotStore store(Wiring wiring, ProofSettings settings) {
        return new S3Bucket(wiring.aws(), settings.bucket(), wiring.pair().pair(), wiring.clock());
    }

    /**
     * Restores in isolation.
     *
     * @param entered is told each stage when it begins
     */
    public IsolatedRestore isolated(Consumer<String> entered) {
        ProofRun.Sizes sizes = sizes();
        return new IsolatedRestore(
                settings,
                new IsolatedRestore.Ports(
                        store(),
                        artifacts,
                        new SecretValues(wiring.aws().secretsManager(settings.bucket().region())),
                        new KmsSealKeys(wiring.aws().kms(settings.bucket().region())),
                        entered),
                new IsolatedRestore.Limits(
                        scratch.resolve("isolated"),
                        sizes.memoryBytes() - sizes.ownBytes(),
                        sizes.scratchBytes(),
                        serverEnvironment(),
                        patience));
    }

    /** One run of ProveSnapshot. */
    public ProofRun proofRun() {
        return proofRun(stage -> LOG.info("stage: {}", stage));
    }

    /**
     * One run of ProveSnapshot.
     *
     * @param entered is told each stage when it begins
     */
    public ProofRun proofRun(Consumer<String> entered) {
        S3Proofs proofs = new S3Proofs(wiring.aws(), settings.bucket(), wiring.clock());
        return new ProofRun(
                wiring.pair().pair(),
                settings,
                store(),
                proofs,
                proofs,
                prover(entered),
                PairMetrics.embedded(wiring.pair().pair()),
                sizes());
    }

    /**
     * Proves snapshots.
     *
     * @param entered is told each stage when it begins
     */
    public Prover prover(Consumer<String> entered) {
        return new Prover(
                wiring.pair().pair(), settings, isolated(entered), wiring.login(), versions());
    }

    /** What a restore in isolation uses, beside what its dry run asks. */
    public Looks looks(Login.Intent intent) {
        return new WiringOfDoctor(wiring).proof(settings, intent);
    }

    /** Recovers single secrets. */
    public SecretRecovery recovery() {
        PairSettings.Bucket bucket =
                settings.recovered()
                        .orElseThrow(
                                () ->
                                        new Failure.Terminal(
                                                "wire the recovery of secrets",
                                                "PROOF names no bucket for them",
                                                "Configure prove.recover and deploy"));
        return new SecretRecovery(
                settings,
                store(),
                isolated(stage -> LOG.info("stage: {}", stage)),
                wiring.login(),
                new S3Recovered(wiring.aws(), bucket));
    }

    private Map<String, String> versions() {
        Map<String, String> versions = new HashMap<>();
        versions.put("java", System.getProperty("java.version", "unknown"));
        versions.put(
                "function", environment.getOrDefault("AWS_LAMBDA_FUNCTION_VERSION", "unknown"));
        return versions;
    }

    /**
     * The seal's plugin signs with the function's role; nothing else of ours gets to the server.
     */
    private Map<String, String> serverEnvironment() {
        Map<String, String> some = new HashMap<>();
        if (settings.seal().keyId().isEmpty()) {
            Stream.of(
                            "AWS_ACCESS_KEY_ID",
                            "AWS_SECRET_ACCESS_KEY",
                            "AWS_SESSION_TOKEN",
                            "AWS_REGION",
                            "AWS_ENDPOINT_URL_KMS")
                    .filter(environment::containsKey)
                    .forEach(name -> some.put(name, environment.getOrDefault(name, "")));
        }
        return some;
    }

    private ProofRun.Sizes sizes() {
        String mib = environment.getOrDefault("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "");
        if (!mib.matches("\\d{1,6}")) {
            throw new Failure.Terminal(
                    "read AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                    mib.isEmpty() ? "it is missing" : "'" + mib + "'",
                    "Run the function in AWS Lambda, or set it to its memory in MiB");
        }
        try {
            Files.createDirectories(scratch);
            return new ProofRun.Sizes(
                    Long.parseLong(mib) << 20,
                    Math.min(HEAP, Runtime.getRuntime().maxMemory()) + BESIDE_HEAP,
                    Math.min(mostScratch, Files.getFileStore(scratch).getUsableSpace() - SPARE));
        } catch (IOException e) {
            throw new Failure.Retryable(
                    "look at scratch space in " + scratch, e.toString(), "It must be writable", e);
        }
    }
}
