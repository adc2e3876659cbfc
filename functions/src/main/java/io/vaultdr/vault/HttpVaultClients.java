package io.vaultdr.vault;

import io.vaultdr.model.Side;
import io.vaultdr.runtime.PairSettings;

import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.function.Function;

/**
 * Clients over HTTP. Connections are shared by all clients of clusters with the same CA and server
 * name.
 */
public final class HttpVaultClients implements VaultClients {
    private final Function<PairSettings.Cluster, Optional<String>> caPem;
    private final Limits limits;
    private final Map<ClusterTrust, Connections> connections = new ConcurrentHashMap<>();

    private record Connections(HttpClient http, LongAnswers longAnswers) {}

    /**
     * How long a call may take.
     *
     * @param connect for the connection
     * @param answer for the whole answer of a call that has no limit of its own
     */
    public record Limits(Duration connect, Duration answer) {
        /** Two seconds for the connection, five for the answer. */
        public static final Limits DEFAULT =
                new Limits(Duration.ofSeconds(2), Duration.ofSeconds(5));
    }

    /**
     * Clients for any clusters.
     *
     * @param caPem a cluster's CA as PEM; empty: the runtime's own authorities
     */
    public HttpVaultClients(Function<PairSettings.Cluster, Optional<String>> caPem, Limits limits) {
        this.caPem = caPem;
        this.limits = limits;
    }

    /**
     * Clients for the two clusters of a pair.
     *
     * @param caPem a side's CA as PEM; empty: the runtime's own authorities
     */
    public static HttpVaultClients of(
            PairSettings pair, Function<Side, Optional<String>> caPem, Limits limits) {
        return new HttpVaultClients(
                cluster -> caPem.apply(cluster.equals(pair.home()) ? Side.HOME : Side.DR), limits);
    }

    @Override
    public VaultClient at(PairSettings.Cluster cluster, URI node) {
        ClusterTrust trust = trust(cluster);
        Connections shared = connections.computeIfAbsent(trust, this::connect);
        return new HttpVaultClient(
                node,
                shared.http(),
                shared.longAnswers(),
                trust.serverName().isPresent() && "https".equals(node.getScheme()),
                limits);
    }

    /** Which servers the clients of {@code cluster} trust. */
    ClusterTrust trust(PairSettings.Cluster cluster) {
        return new ClusterTrust(caPem.apply(cluster), cluster.serverName());
    }

    private Connections connect(ClusterTrust trust) {
        HttpClient http =
                HttpClient.newBuilder()
                        // One call at a time per connection; nothing here gains from frames.
                        .version(HttpClient.Version.HTTP_1_1)
                        .followRedirects(HttpClient.Redirect.NEVER)
                        .connectTimeout(limits.connect())
                        .sslContext(trust.context())
                        .sslParameters(trust.parameters())
                        .executor(Executors.newVirtualThreadPerTaskExecutor())
                        .build();
        return new Connections(http, new LongAnswers(trust, limits.connect()));
    }
}
