package io.vaultdr.vault;

import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.model.Check;
import io.vaultdr.model.Failure;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.vault.VaultClient.Health;

import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.UnknownHostException;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Looks at a cluster's servers in stages, as a function's own calls go: the name, the connection,
 * the certificate, the node's health; then the login to the node that leads, and what its policy
 * allows. A stage that failed leaves those after it not looked at.
 *
 * <p>Nothing is changed, but for a token that is issued and revoked.
 */
public final class ServerChecks {
    private final HttpVaultClients clients;
    private final Login login;
    private final Clock clock;
    private final Limits limits;

    /**
     * How long a stage may take.
     *
     * @param name for looking a name up
     * @param connect for each connection, and for each answer in a handshake
     * @param soon a certificate that ends sooner is told
     */
    public record Limits(Duration name, Duration connect, Duration soon) {
        /** Five seconds, two seconds, two weeks. */
        public static final Limits DEFAULT =
                new Limits(Duration.ofSeconds(5), Duration.ofSeconds(2), Duration.ofDays(14));
    }

    /** What the servers are to be. */
    public enum Expected {
        /** One leads, the others follow. */
        SERVING,
        /**
         * One at least is started, and none initialised: the side that a promotion restores into.
         */
        BLANK,
        /** Whatever they are, or not there: no function needs them now. */
        ANYTHING
    }

    /**
     * Who is to be logged in, and what for.
     *
     * @param needs the capabilities that the policy is to give, by path
     */
    public record Access(Login.Intent intent, Map<String, Set<String>> needs) {}

    /** Looks through {@code clients}, with the secrets that {@code login} reads. */
    public ServerChecks(HttpVaultClients clients, Login login, Clock clock, Limits limits) {
        this.clients = clients;
        this.login = login;
        this.clock = clock;
        this.limits = limits;
    }

    /**
     * Looks at all of {@code cluster}'s nodes at once, and then logs in to the one that leads.
     *
     * @param access empty where the function doesn't log in
     */
    public List<Check> look(
            PairSettings.Cluster cluster, Expected expected, Optional<Access> access) {
        List<FutureTask<List<Check>>> looks =
                cluster.nodes().stream()
                        .map(node -> new FutureTask<>(() -> node(cluster, node, expected)))
                        .toList();
        looks.forEach(look -> Thread.ofVirtual().name("look at a node").start(look));
        List<List<Check>> nodes = looks.stream().map(ServerChecks::joined).toList();
        boolean oneIsWell = nodes.stream().anyMatch(ServerChecks::well);
        List<Check> checks = new ArrayList<>();
        for (List<Check> node : nodes) {
            node.stream()
                    .map(it -> expected == Expected.BLANK && oneIsWell ? unneeded(it) : it)
                    .forEach(checks::add);
        }
        access.ifPresent(it -> checks.addAll(logIn(cluster, expected, it)));
        return List.copyOf(checks);
    }

    private static boolean well(List<Check> node) {
        return node.stream().noneMatch(check -> check.result() == Check.Result.FAILED);
    }

    /** A standby is one node; the others' addresses are of those that a promotion starts. */
    private static Check unneeded(Check check) {
        return check.name().equals(Check.HEALTH)
                ? check
                : check.lenient("one blank node is enough until a promotion");
    }

    private List<Check> node(PairSettings.Cluster cluster, URI node, Expected expected) {
        List<Check> checks = new ArrayList<>();
        String target = node.getHost() + ":" + port(node);
        List<InetAddress> addresses = new ArrayList<>();
        checks.add(resolve(node, addresses));
        then(checks, Check.TCP, target, () -> connect(addresses, node, target));
        then(checks, Check.TLS, target, () -> shakeHands(cluster, addresses, node, target));
        then(checks, Check.HEALTH, target, () -> health(cluster, node, target, expected));
        return expected == Expected.ANYTHING
                ? checks.stream().map(it -> it.lenient("it needn't be there now")).toList()
                : checks;
    }

    private interface Stage {
        Check look();
    }

    private static void then(List<Check> before, String name, String target, Stage stage) {
        Optional<Check> failed =
                before.stream().filter(check -> check.result() == Check.Result.FAILED).findFirst();
        before.add(
                failed.isPresent()
                        ? Check.notLookedAt(name, target, failed.get().name() + " failed")
                        : stage.look());
    }

    private Check resolve(URI node, List<InetAddress> found) {
        String host = node.getHost();
        FutureTask<InetAddress[]> asked = new FutureTask<>(() -> InetAddress.getAllByName(host));
        Thread.ofVirtual().name("look " + host + " up").start(asked);
        try {
            found.addAll(List.of(asked.get(limits.name().toMillis(), TimeUnit.MILLISECONDS)));
            return Check.ok(
                    Check.NAME,
                    host,
                    String.join(", ", found.stream().map(InetAddress::getHostAddress).toList()));
        } catch (TimeoutException e) {
            asked.cancel(true);
            return Check.failed(
                    Check.NAME,
                    host,
                    "no answer from the resolver within " + seconds(limits.name()),
                    "Look at the VPC's DNS settings (enableDnsSupport, DHCP options) and at"
                            + " forwarding rules for this domain");
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof UnknownHostException)) {
                throw new IllegalStateException("look " + host + " up", e.getCause());
            }
            return Check.failed(
                    Check.NAME,
                    host,
                    "the name isn't known here",
                    "Associate its private hosted zone with this function's VPC, or correct the"
                            + " address in the configuration and deploy");
        } catch (InterruptedException e) {
            asked.cancel(true);
            Thread.currentThread().interrupt();
            return Check.notLookedAt(Check.NAME, host, "interrupted");
        }
    }

    /** Every address that the name has: one that doesn't answer is met by every so many calls. */
    private Check connect(List<InetAddress> addresses, URI node, String target) {
        List<String> open = new ArrayList<>();
        Map<String, String> failed = new TreeMap<>();
        boolean refused = false;
        for (InetAddress address : addresses) {
            try (Socket socket = new Socket()) {
                socket.connect(
                        new InetSocketAddress(address, port(node)),
                        Math.toIntExact(limits.connect().toMillis()));
                open.add(address.getHostAddress());
            } catch (SocketTimeoutException e) {
                failed.put(address.getHostAddress(), "silent for " + seconds(limits.connect()));
            } catch (NoRouteToHostException e) {
                failed.put(address.getHostAddress(), "no route to it");
            } catch (ConnectException e) {
                failed.put(address.getHostAddress(), "refused");
                refused = true;
            } catch (IOException e) {
                failed.put(address.getHostAddress(), e.getClass().getSimpleName());
            }
        }
        if (failed.isEmpty()) {
            return Check.ok(
                    Check.TCP,
                    target,
                    open.size() == 1 ? "open" : "open at all " + open.size() + " addresses");
        }
        return Check.failed(
                Check.TCP,
                target,
                failed + (open.isEmpty() ? "" : ", though open at " + String.join(", ", open)),
                refused
                        ? "The host answers and nothing listens there: start the server, and"
                                + " compare its listener's port with the address"
                        : "Something drops it: let the servers' security group and network ACLs"
                                + " take port "
                                + port(node)
                                + " from this function's subnets, and look for a route there and"
                                + " back ('config check' names the paths)");
    }

    private Check shakeHands(
            PairSettings.Cluster cluster, List<InetAddress> addresses, URI node, String target) {
        if (!"https".equals(node.getScheme())) {
            return Check.notLookedAt(
                    Check.TLS, target, "the address says " + node.getScheme() + ": not encrypted");
        }
        ClusterTrust trust = clients.trust(cluster);
        try {
            Handshake handshake =
                    Handshake.with(
                            addresses.getFirst(),
                            node.getHost(),
                            port(node),
                            trust,
                            limits.connect());
            return judge(
                    handshake,
                    target,
                    trust.serverName().orElse(node.getHost()),
                    trust.caPem().isPresent());
        } catch (Failure e) {
            return Check.failed(Check.TLS, target, e);
        } catch (IOException e) {
            return Check.failed(
                    Check.TLS,
                    target,
                    e instanceof SocketTimeoutException
                            ? "it takes the connection and says nothing"
                            : e instanceof EOFException
                                    ? "it takes the connection and hangs up"
                                    : "it hung up in the handshake ("
                                            + e.getClass().getSimpleName()
                                            + ")",
                    "Look whether a load balancer stands there without a healthy server behind it,"
                            + " and at the server's log");
        }
    }

    /** What a handshake means for a client that wants {@code name}. */
    private Check judge(Handshake handshake, String target, String name, boolean ownAuthority) {
        if (handshake.shown().isEmpty()) {
            return Check.failed(
                    Check.TLS,
                    target,
                    "no TLS is spoken there",
                    "Give the listener its certificate (tls_cert_file), or correct the scheme or"
                            + " port of the address");
        }
        Handshake.Shown shown = handshake.shown().get();
        Instant now = clock.instant();
        long days = Duration.between(now, shown.until()).toDays();
        String saw =
                "certificate of "
                        + (shown.names().isEmpty() ? "no name" : String.join(", ", shown.names()))
                        + " from "
                        + shown.authority();
        if (handshake.refused().isEmpty()) {
            return new Check(
                    Check.TLS,
                    target,
                    Check.Result.OK,
                    saw + ", " + days + " days left",
                    shown.until().isBefore(now.plus(limits.soon()))
                            ? "Renew the certificate: it ends " + shown.until()
                            : "");
        }
        if (shown.until().isBefore(now) || expired(handshake)) {
            return Check.failed(
                    Check.TLS,
                    target,
                    saw + ": it, or its authority, has ended; it is good until " + shown.until(),
                    "Renew the certificate on the servers and let them load it (SIGHUP)");
        }
        if (shown.from().isAfter(now)) {
            return Check.failed(
                    Check.TLS,
                    target,
                    saw + ": not valid before " + shown.from(),
                    "Look at the clocks of whoever issued it and of the servers");
        }
        return untrusted(handshake)
                ? Check.failed(
                        Check.TLS,
                        target,
                        saw + ": no authority that is trusted here",
                        ownAuthority
                                ? "Compare it with the pair's ca in the configuration; deploy the"
                                        + " Backup and Vantage stacks after a change"
                                : "Name its authority as ca in the configuration and deploy")
                : Check.failed(
                        Check.TLS,
                        target,
                        saw + ": it doesn't hold " + name,
                        "Issue one that holds that name, or set serverName to a name that it"
                                + " holds");
    }

    private static boolean expired(Handshake handshake) {
        return caused(handshake, CertificateExpiredException.class);
    }

    /** Whether no chain to an authority was found; a name that isn't held is something else. */
    private static boolean untrusted(Handshake handshake) {
        return caused(handshake, CertPathValidatorException.class)
                || caused(handshake, CertPathBuilderException.class)
                || !caused(handshake, CertificateException.class);
    }

    private static boolean caused(Handshake handshake, Class<? extends Exception> kind) {
        Throwable at = handshake.refused().orElse(null);
        while (at != null) {
            if (kind.isInstance(at)) {
                return true;
            }
            at = at.getCause();
        }
        return false;
    }

    private Check health(PairSettings.Cluster cluster, URI node, String target, Expected expected) {
        try {
            Health health = clients.at(cluster, node).health();
            return judge(health, target, expected);
        } catch (Failure e) {
            return Check.failed(Check.HEALTH, target, e);
        }
    }

    /** What a node's health means where {@code expected} is expected. */
    static Check judge(Health health, String target, Expected expected) {
        String saw =
                health.status()
                        + " "
                        + health.meaning()
                        + health.version().map(v -> ", version " + v).orElse("");
        String fix =
                expected == Expected.ANYTHING
                        ? ""
                        : switch (health.meaning()) {
                            case ACTIVE, STANDBY, PERFORMANCE_STANDBY ->
                                    expected == Expected.SERVING
                                            ? ""
                                            : "This side has to be blank to be promoted: if nothing"
                                                    + " on it is wanted, wipe it";
                            case NOT_INITIALISED ->
                                    expected == Expected.BLANK
                                            ? ""
                                            : "Nothing is on this node, though its side serves:"
                                                    + " look whether it finds the others"
                                                    + " (retry_join)";
                            case SEALED ->
                                    "Unseal it, or look why it can't reach its seal's key:"
                                            + " docs/runbooks/all-sealed.md";
                            case UNHEALTHY_STANDBY ->
                                    "It can't reach the node that leads: look at the cluster port"
                                            + " between them";
                            case REMOVED ->
                                    "It was removed from its cluster: wipe its data and let it join"
                                            + " anew";
                            case DR_SECONDARY ->
                                    "It is a DR secondary, which none of this project's strategies"
                                            + " wants";
                            case UNKNOWN -> "That is no node's health: look what stands in between";
                        };
        return fix.isEmpty()
                ? Check.ok(Check.HEALTH, target, saw)
                : Check.failed(Check.HEALTH, target, saw, fix);
    }

    private List<Check> logIn(PairSettings.Cluster cluster, Expected expected, Access access) {
        String target = cluster.login() + "/" + access.intent();
        List<Check> checks = new ArrayList<>();
        if (expected != Expected.SERVING) {
            checks.add(
                    Check.of(
                            Check.LOGIN,
                            target,
                            () -> {
                                login.check(cluster, access.intent());
                                return "the secret is there; the servers know no login now";
                            }));
            checks.add(Check.notLookedAt(Check.POLICY, target, "this side doesn't serve"));
            return checks;
        }
        return switch (new LeaderFinder(clients).find(cluster, limits.name())) {
            case LeaderFinder.Finding.NoneActive none -> {
                checks.add(
                        Check.failed(
                                Check.LEADER,
                                cluster.address().toString(),
                                "no node leads: " + none,
                                "Let a majority of the nodes run unsealed and reach each other:"
                                        + " docs/runbooks/down.md"));
                checks.add(Check.notLookedAt(Check.LOGIN, target, "no node leads"));
                checks.add(Check.notLookedAt(Check.POLICY, target, "no node leads"));
                yield checks;
            }
            case LeaderFinder.Finding.Active(VaultClient node, Health _) -> {
                checks.add(
                        Check.ok(
                                Check.LEADER,
                                cluster.address().toString(),
                                node.address() + " leads"));
                checks.addAll(logIn(cluster, node, target, access));
                yield checks;
            }
        };
    }

    private List<Check> logIn(
            PairSettings.Cluster cluster, VaultClient node, String target, Access access) {
        try (Login.Session session = login.to(cluster, node, access.intent())) {
            return List.of(
                    Check.ok(Check.LOGIN, target, "logged in to " + node.address()),
                    policy(session, target, access.needs()));
        } catch (Failure e) {
            return List.of(
                    Check.failed(Check.LOGIN, target, e),
                    Check.notLookedAt(Check.POLICY, target, Check.LOGIN + " failed"));
        }
    }

    /**
     * Compares what the token may do with what it needs.
     *
     * @see <a href="https://openbao.org/api-docs/system/capabilities-self/">capabilities-self</a>
     */
    private static Check policy(
            Login.Session session, String target, Map<String, Set<String>> needs) {
        JsonNode answer;
        try {
            answer =
                    session.node()
                            .write(
                                    session.token(),
                                    "sys/capabilities-self",
                                    Map.of("paths", List.copyOf(needs.keySet())));
        } catch (Failure e) {
            // Only a policy that is older than this check lacks it, and no function needs it.
            return new Check(
                    Check.POLICY,
                    target,
                    Check.Result.NOT_LOOKED_AT,
                    e.seen(),
                    "Run ./vault-dr setup for this pair and apply what it prints");
        }
        Map<String, Set<String>> lacks = new TreeMap<>();
        needs.forEach(
                (path, wanted) -> {
                    Set<String> lacking = new TreeSet<>(wanted);
                    answer.path(path).forEach(given -> lacking.remove(given.asText()));
                    if (!lacking.isEmpty()) {
                        lacks.put(path, lacking);
                    }
                });
        return lacks.isEmpty()
                ? Check.ok(Check.POLICY, target, "allows all " + needs.size() + " paths")
                : Check.failed(
                        Check.POLICY,
                        target,
                        "it lacks " + lacks,
                        "Run ./vault-dr setup for this pair and apply what it prints");
    }

    private static List<Check> joined(FutureTask<List<Check>> look) {
        try {
            return look.get();
        } catch (ExecutionException e) {
            throw new IllegalStateException("look at a node", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Failure.Retryable("look at the nodes", "interrupted", "Look again", e);
        }
    }

    private static int port(URI node) {
        return node.getPort() > 0 ? node.getPort() : "http".equals(node.getScheme()) ? 80 : 443;
    }

    private static String seconds(Duration limit) {
        return limit.toMillis() / 1000.0 + " s";
    }
}
