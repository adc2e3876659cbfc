package io.vaultdr.testing;

import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.runtime.Directories;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;

/** Servers of one cluster, blank or initialised, in a directory of their own. */
public final class BaoCluster implements AutoCloseable {
    private static final Duration ELECTION = Duration.ofSeconds(30);
    private static final Duration JOINING = Duration.ofSeconds(60);

    private final Path directory;
    private final Path sealKey;
    private final List<BaoServer> nodes;
    private @Nullable String rootToken;

    private BaoCluster(Path directory, Path sealKey, List<BaoServer> nodes) {
        this.directory = directory;
        this.sealKey = sealKey;
        this.nodes = nodes;
    }

    /** Servers that run and are initialised and joined, over plain HTTP. */
    public static BaoCluster running(int nodes) {
        return blank(nodes, Optional.empty(), Optional.empty()).initialize();
    }

    /** One server with lines of configuration of its own. */
    public static BaoCluster running(String more) {
        return running(1, more);
    }

    /** Servers with lines of configuration of their own. */
    public static BaoCluster running(int nodes, String more) {
        return blank(nodes, Optional.empty(), Optional.empty(), more).initialize();
    }

    /** Servers that run and are not initialised, over plain HTTP. */
    public static BaoCluster blank(int nodes) {
        return blank(nodes, Optional.empty(), Optional.empty());
    }

    /** One server that isn't initialised, with lines of configuration of its own. */
    public static BaoCluster blank(String more) {
        return blank(1, Optional.empty(), Optional.empty(), more);
    }

    /**
     * Servers that run and are not initialised.
     *
     * @param tls their certificate, which has to hold {@code ip:127.0.0.1}, by which they join
     * @param sealKey another cluster's {@link #sealKey()}, whose snapshots then open here
     */
    public static BaoCluster blank(int nodes, Optional<TestTls> tls, Optional<Path> sealKey) {
        return blank(nodes, tls, sealKey, "");
    }

    private static BaoCluster blank(
            int nodes, Optional<TestTls> tls, Optional<Path> sealKey, String more) {
        try {
            Path directory = Files.createTempDirectory("bao");
            Path key = sealKey.orElse(directory.resolve("seal.key"));
            if (sealKey.isEmpty()) {
                byte[] bytes = new byte[32];
                new SecureRandom().nextBytes(bytes);
                Files.write(key, bytes);
            }
            String scheme = tls.isPresent() ? "https" : "http";
            List<Integer> ports = Stream.generate(Ports::free).limit(nodes).toList();
            List<URI> addresses =
                    ports.stream()
                            .map(port -> URI.create(scheme + "://127.0.0.1:" + port))
                            .toList();
            List<BaoServer> servers = new ArrayList<>();
            for (int n = 0; n < nodes; n++) {
                String id = "n" + (n + 1);
                servers.add(
                        BaoServer.of(
                                new BaoServer.Spec(
                                        id,
                                        directory.resolve(id),
                                        "127.0.0.1",
                                        ports.get(n),
                                        Ports.free(),
                                        key,
                                        nodes == 1 ? List.of() : addresses,
                                        tls,
                                        more)));
            }
            BaoCluster cluster = new BaoCluster(directory, key, List.copyOf(servers));
            try {
                servers.forEach(BaoServer::start);
            } catch (RuntimeException | AssertionError e) {
                cluster.close();
                throw e;
            }
            return cluster;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Initialises the first node, and waits until all have joined, answer and vote. */
    public BaoCluster initialize() {
        BaoServer first = nodes.getFirst();
        rootToken = first.initialize();
        // Ten seconds of stabilisation would be waited for by every test with more than one node.
        first.call(
                        "POST",
                        "sys/storage/raft/autopilot/configuration",
                        rootToken,
                        Map.of("server_stabilization_time", "1s"))
                .expect();
        for (BaoServer node : nodes.subList(1, nodes.size())) {
            node.awaitHealth(429, JOINING);
        }
        awaitVoters(nodes.size());
        return this;
    }

    /** The root token of {@link #initialize()}. */
    public String rootToken() {
        if (rootToken == null) {
            throw new IllegalStateException("the cluster is blank: initialise it first");
        }
        return rootToken;
    }

    /** The key file of its seal. */
    public Path sealKey() {
        return sealKey;
    }

    /** Its nodes. */
    public List<BaoServer> nodes() {
        return nodes;
    }

    /** The addresses of its nodes. */
    public List<URI> addresses() {
        return nodes.stream().map(BaoServer::address).toList();
    }

    /** Waits for a node that answers 200. */
    public BaoServer leader() {
        return Eventually.get(
                "a leader",
                ELECTION,
                () -> nodes.stream().filter(node -> node.health() == 200).findFirst());
    }

    /** Nodes that run and don't lead. */
    public List<BaoServer> standbys() {
        return nodes.stream().filter(node -> node.running() && node.health() == 429).toList();
    }

    /** Waits until {@code count} nodes vote. */
    public void awaitVoters(int count) {
        Eventually.await(
                count + " voters",
                JOINING,
                () -> {
                    JsonNode servers =
                            leader().call(
                                            "GET",
                                            "sys/storage/raft/configuration",
                                            rootToken(),
                                            null)
                                    .data()
                                    .path("config")
                                    .path("servers");
                    long voters = 0;
                    for (JsonNode server : servers) {
                        voters += server.path("voter").asBoolean() ? 1 : 0;
                    }
                    return voters == count;
                });
    }

    /** Mounts a KV engine of version 2, and waits until it takes a write. */
    public void mountKv(String mount) {
        call("POST", "sys/mounts/" + mount, Map.of("type", "kv-v2")).expect();
        Eventually.await(
                "the engine " + mount,
                Duration.ofSeconds(20),
                () ->
                        call("POST", mount + "/data/ready", Map.of("data", Map.of("n", 1))).status()
                                == 200);
    }

    /** Writes {@code mebibytes} that no compression makes smaller below {@code filler}. */
    public void fill(String mount, int mebibytes) {
        byte[] random = new byte[700 * 1024];
        for (int i = 0; i < mebibytes; i++) {
            RandomGenerator.getDefault().nextBytes(random);
            call("POST", mount + "/data/filler/" + i, Map.of("data", Map.of("bytes", random)))
                    .expect();
        }
    }

    /** Calls the leader's API with the root token. */
    public BaoServer.Answer call(String method, String path, @Nullable Object body) {
        return leader().call(method, path, rootToken(), body);
    }

    @Override
    public void close() {
        nodes.forEach(BaoServer::close);
        Directories.delete(directory);
    }
}
