package io.vaultdr.cluster;

import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.cluster.ClusterSetUp.Drift;
import io.vaultdr.cluster.Initialisation.Next;
import io.vaultdr.cluster.Initialisation.Nodes;
import io.vaultdr.cluster.Initialisation.Phase;
import io.vaultdr.failover.Pager;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.runtime.Deadline;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairMetrics;
import io.vaultdr.runtime.PairMetrics.Measure;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.vault.LeaderFinder;
import io.vaultdr.vault.LeaderFinder.Answer;
import io.vaultdr.vault.LeaderFinder.Finding;
import io.vaultdr.vault.Login;
import io.vaultdr.vault.Login.Intent;
import io.vaultdr.vault.VaultClient;
import io.vaultdr.vault.VaultClient.Initialized;
import io.vaultdr.vault.VaultClient.NodeStatus;
import io.vaultdr.vault.VaultClients;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Brings home's made cluster from blank to service, once and only once, and then watches that it
 * stays as it was set up. The DR side is never initialised here: it is blank on purpose.
 *
 * <ol>
 *   <li>That initialising begins is remembered, and shown to every region's secret of the recovery
 *       keys: one that can't be written is found before there is anything to write.
 *   <li>A blank node is initialised. Its recovery keys go from the answer into each region's
 *       secret, then the root token is remembered.
 *   <li>Once a node is active, all that {@link VaultSetup} describes is written, and the logins'
 *       secret ids are stored in each region.
 *   <li>With a login that was just made all of it is read back; then the root token is revoked, and
 *       that it is done is remembered.
 * </ol>
 *
 * Killed anywhere, the next run goes on ({@link Initialisation#next}). Between the call that
 * initialises and the keys' being stored nobody knows them: then nothing is on the nodes yet, they
 * are wiped, and it begins again. A cluster that holds data and wasn't initialised from here is
 * never touched.
 */
public final class InitializeCluster {
    private static final Logger LOG = LoggerFactory.getLogger(InitializeCluster.class);

    private static final int SHARES = 5;
    private static final int THRESHOLD = 3;

    private static final Duration FINDING = Duration.ofSeconds(5);
    private static final Duration POLL = Duration.ofSeconds(1);

    /** From initialised to active: seconds; a wiped node starts anew before it is blank. */
    private static final Duration SERVICE = Duration.ofSeconds(90);

    private final PairSettings settings;
    private final PairSettings.Cluster cluster;
    private final VaultSetup setup;
    private final ClusterSetUp parts;
    private final Ports ports;
    private final PairMetrics metrics;
    private final Clock clock;

    /**
     * What it uses.
     *
     * @param wipe empties the nodes and starts them blank; answers with what each said
     * @param initialisation where it is remembered how far it came
     * @param recoveryKeys where the keys go, in each region
     * @param logins the logins' secrets in each region that this account has them in
     */
    public record Ports(
            LeaderFinder finder,
            VaultClients clients,
            Login login,
            Supplier<String> wipe,
            StoredSecret initialisation,
            List<? extends StoredSecret> recoveryKeys,
            List<? extends LoginSecrets> logins,
            Pager pager) {}

    /** Initialises home of {@code settings}, which is a made one. */
    public InitializeCluster(
            PairSettings settings,
            VaultSetup setup,
            Ports ports,
            PairMetrics metrics,
            Clock clock) {
        this.settings = settings;
        this.cluster = settings.home();
        this.setup = setup;
        this.parts = new ClusterSetUp(setup, settings.edition(), cluster.made().orElseThrow());
        this.ports = ports;
        this.metrics = metrics;
        this.clock = clock;
    }

    /**
     * What a run came to.
     *
     * @param found what came next when it began
     * @param phase how far the initialisation is
     * @param done what was done, a sentence each
     * @param drift what isn't as it was set up: name, what was read, what was expected
     * @param problems what is left to the next run or to a person, a sentence each
     */
    public record Report(
            Next found,
            Phase phase,
            List<String> done,
            List<Map<String, String>> drift,
            List<String> problems) {}

    /**
     * Does what comes next, as far as it goes within {@code deadline}.
     *
     * @param dryRun whether nothing is changed, but looked as far as that goes
     * @throws Failure where a call failed; the next run goes on from there
     */
    public Report run(boolean dryRun, Deadline deadline) {
        Work work = new Work(deadline, dryRun);
        try {
            Report report = work.run();
            LOG.info(
                    "Initialisation: found {}, phase {}, done {}, drift {}, problems {}",
                    report.found(),
                    report.phase(),
                    report.done(),
                    report.drift(),
                    report.problems());
            return report;
        } finally {
            if (!dryRun) {
                metrics.publish(work.measures());
            }
        }
    }

    /** What one run sees and does. */
    private final class Work {
        private final Deadline deadline;
        private final boolean dryRun;
        private final List<String> done = new ArrayList<>();
        private final List<String> problems = new ArrayList<>();
        private Optional<List<Drift>> drift = Optional.empty();
        private boolean failed = true;
        private Initialisation state = Initialisation.NOTHING;

        Work(Deadline deadline, boolean dryRun) {
            this.deadline = deadline;
            this.dryRun = dryRun;
        }

        List<Measure> measures() {
            List<Measure> measures = new ArrayList<>();
            measures.add(Measure.count("InitializeProblems", problems.size() + (failed ? 1 : 0)));
            drift.ifPresent(it -> measures.add(Measure.count("ClusterDrift", it.size())));
            return measures;
        }

        Report run() {
            state = Initialisation.of(ports.initialisation().value());
            Finding found = ports.finder().find(cluster, FINDING);
            Next next = state.next(nodes(found), clock.instant());
            if (dryRun) {
                ports.pager().receivers();
                if (next == Next.COMPARE && found instanceof Finding.Active(VaultClient node, _)) {
                    drift = Optional.of(compare(node));
                }
            } else {
                act(next, found);
                untold(next);
            }
            failed = false;
            return new Report(
                    next,
                    state.phase(),
                    List.copyOf(done),
                    drift.orElse(List.of()).stream()
                            .map(
                                    it ->
                                            Map.of(
                                                    "name", it.name(),
                                                    "read", it.read(),
                                                    "expected", it.expected()))
                            .toList(),
                    List.copyOf(problems));
        }

        private void act(Next next, Finding found) {
            switch (next) {
                case INITIALISE -> {
                    initialise(blank(found));
                    setUp(active());
                }
                case KEYS_LOST -> {
                    wipe();
                    initialise(awaitBlank());
                    setUp(active());
                }
                case SET_UP -> setUp(Optional.of(found));
                case COMPARE -> {
                    if (found instanceof Finding.Active(VaultClient node, _)) {
                        drift = Optional.of(compare(node));
                    }
                }
                case UNSEEN -> LOG.info("Nothing to compare with: {}", found);
                case NOT_THERE_YET ->
                        problems.add(
                                "no node is active or blank (" + found + "): it is waited for");
                case PERHAPS_UNDER_WAY ->
                        problems.add("another run may be storing the keys just now");
                case NOT_OURS ->
                        stuck(
                                next,
                                "The cluster is initialised, and not from here: perhaps it holds"
                                        + " data. Nothing is touched. If it is to stay, set it up"
                                        + " with ./vault-dr setup; if nothing on it is wanted, wipe"
                                        + " its nodes.");
                case EMPTIED ->
                        stuck(
                                next,
                                "The cluster was set up, and its nodes are blank now: all of its"
                                        + " data is gone from them. Nothing is touched. Restore a"
                                        + " snapshot, or fail over to the DR side.");
                case KEYS_LONG_LOST ->
                        stuck(
                                next,
                                "The cluster was initialised more than an hour ago, and nobody has"
                                        + " its recovery keys or its root token. Nothing is touched"
                                        + " any more. If nothing on it is wanted, wipe its nodes.");
            }
        }

        /** Pages once. */
        private void stuck(Next next, String text) {
            problems.add(next + ": " + text);
            if (state.told().equals(Optional.of(next))) {
                return;
            }
            ports.pager()
                    .page(
                            new Pager.Page(
                                    settings.pair() + ": initialisation: " + next,
                                    text,
                                    "not-initialised"));
            remember(state.telling(Optional.of(next)));
        }

        private void untold(Next next) {
            if (!next.stuck() && state.told().isPresent()) {
                remember(state.telling(Optional.empty()));
            }
        }

        private void remember(Initialisation next) {
            ports.initialisation().put(next.stored());
            state = next;
        }

        private void enter(Phase phase, Optional<Secret> rootToken) {
            remember(new Initialisation(phase, clock.instant(), rootToken, Optional.empty()));
        }

        private VaultClient blank(Finding found) {
            if (found instanceof Finding.NoneActive(List<Answer> answers)) {
                for (Answer answer : answers) {
                    if (answer.status().equals(Optional.of(NodeStatus.NOT_INITIALISED))) {
                        return ports.clients().at(cluster, answer.node());
                    }
                }
            }
            throw new IllegalStateException("no blank node in " + found);
        }

        private void wipe() {
            String said = ports.wipe().get();
            done.add("the nodes were wiped, because nobody had their keys: " + said);
            LOG.warn("The nodes were initialised and nobody had the keys; wiped: {}", said);
        }

        private VaultClient awaitBlank() {
            return deadline.within(SERVICE)
                    .poll(
                            POLL,
                            () ->
                                    Optional.of(ports.finder().find(cluster, FINDING))
                                            .filter(it -> nodes(it) == Nodes.BLANK))
                    .map(this::blank)
                    .orElseThrow(
                            () ->
                                    new Failure.Retryable(
                                            "wipe the nodes",
                                            "they aren't all blank (501) after "
                                                    + SERVICE.toSeconds()
                                                    + " s",
                                            "It is tried again by the next run; look at what the"
                                                    + " document says on the nodes"));
        }

        private void initialise(VaultClient node) {
            enter(Phase.INITIALISING, Optional.empty());
            keys("initialising", List.of());
            Initialized made = node.initialize(SHARES, THRESHOLD);
            keys("initialised", made.recoveryKeys());
            enter(Phase.SETTING_UP, Optional.of(made.rootToken()));
            done.add(
                    node.address()
                            + " is initialised, its recovery keys are in "
                            + ports.recoveryKeys().stream().map(StoredSecret::region).toList());
        }

        private void keys(String what, List<Secret> keys) {
            ObjectNode json = Json.MAPPER.createObjectNode();
            json.put("pair", settings.pair().value());
            json.put("state", what);
            json.put("at", clock.instant().toString());
            json.put("threshold", THRESHOLD);
            var array = json.putArray("recovery_keys");
            keys.forEach(it -> array.add(it.reveal()));
            Secret value = Secret.of(json.toString());
            ports.recoveryKeys().forEach(it -> it.put(value));
        }

        private Optional<Finding> active() {
            return deadline.within(SERVICE)
                    .poll(
                            POLL,
                            () ->
                                    Optional.of(ports.finder().find(cluster, FINDING))
                                            .filter(it -> nodes(it) == Nodes.ACTIVE));
        }

        private void setUp(Optional<Finding> found) {
            if (!(found.orElse(null) instanceof Finding.Active(VaultClient node, _))) {
                problems.add(
                        "no node was active within "
                                + SERVICE.toSeconds()
                                + " s of its initialisation: the next run goes on");
                return;
            }
            Optional<Secret> root = state.rootToken().filter(node::knows);
            if (root.isPresent()) {
                List<String> written = parts.apply(node, root.get());
                if (!written.isEmpty()) {
                    done.add("written: " + String.join(", ", written));
                }
                setup.intents().forEach(intent -> credentials(node, root.get(), intent));
            }
            // Without it a run before this one came to the end and died.
            drift = Optional.of(compare(node));
            root.ifPresent(node::revokeSelf);
            enter(Phase.DONE, Optional.empty());
            done.add("all is set up, the root token is revoked");
        }

        /** What is the same in every region, and known to the server, stays as it is. */
        private void credentials(VaultClient node, Secret token, Intent intent) {
            String role = VaultSetup.role(intent).path();
            List<Optional<String>> versions =
                    ports.logins().stream()
                            .map(it -> Optional.ofNullable(it.versions().get(intent)))
                            .distinct()
                            .toList();
            if (versions.size() == 1
                    && versions.getFirst()
                            .filter(it -> SecretIds.known(node, token, role, it))
                            .isPresent()) {
                return;
            }
            SecretIds.Issued issued = SecretIds.issue(node, token, role);
            ports.logins().forEach(it -> it.put(intent, issued.accessor(), issued.value()));
            done.add("login " + intent + " issued");
        }

        private List<Drift> compare(VaultClient node) {
            try (Login.Session session = ports.login().to(cluster, node, Intent.CONFIGURE)) {
                List<Drift> drifts = parts.compare(node, session.token());
                drifts.forEach(
                        it ->
                                LOG.warn(
                                        "Not as it was set up: {}: read {}, expected {}",
                                        it.name(),
                                        it.read(),
                                        it.expected()));
                return drifts;
            }
        }
    }

    private static Nodes nodes(Finding found) {
        return switch (found) {
            case Finding.Active _ -> Nodes.ACTIVE;
            case Finding.NoneActive none when none.silent() -> Nodes.SILENT;
            case Finding.NoneActive none when none.blank() -> Nodes.BLANK;
            case Finding.NoneActive _ -> Nodes.UNLED;
        };
    }
}
