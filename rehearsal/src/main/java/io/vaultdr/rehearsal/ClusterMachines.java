package io.vaultdr.rehearsal;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.rehearsal.world.Instance;
import io.vaultdr.rehearsal.world.Machines;
import io.vaultdr.rehearsal.world.Metadata;
import io.vaultdr.rehearsal.world.ProcessStarter;
import io.vaultdr.rehearsal.world.SdkClients;
import io.vaultdr.runtime.Json;
import io.vaultdr.testing.Environment;

import org.jspecify.annotations.Nullable;

import software.amazon.awssdk.services.ssm.SsmClient;
import software.amazon.awssdk.services.ssm.model.ParameterType;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The machines of a made cluster: each with an address, a metadata service and a folder of its own,
 * on which the very boot script of the image runs, both {@code boot} and {@code watch}, and starts
 * a real server by the configuration that it wrote.
 *
 * <p>Of what a node is told, some is otherwise than on AWS: paths lie in the machine's folder,
 * since all machines share one file system; and a static key stands in for the KMS key.
 */
final class ClusterMachines implements Machines, AutoCloseable {
    /** The tag that names a node's parameter. */
    static final String NODE_TAG = "vault-dr:node";

    /** Where a node lets the holder of the recovery keys in, who is on the machine. */
    static final int BREAK_GLASS_PORT = 8_203;

    private static final String SCRIPT = "/io/vaultdr/infra/node/vault_dr_node.py";

    private static final Duration POLL = Duration.ofMillis(50);

    /** systemd's wait before it starts the boot script again that failed. */
    private static final Duration AGAIN = Duration.ofSeconds(2);

    private static final Duration STOPPING = Duration.ofSeconds(20);

    /** It stops at a mark, until somebody has looked. */
    private static final int QUARANTINED = 11;

    /**
     * What machines are made of.
     *
     * @param directory a fresh folder
     * @param script the image's boot script
     * @param unit the server's systemd unit
     * @param sealKey 32 bytes, the seal of all machines
     * @param gateway where AWS calls go
     * @param aws clients for what the rehearsal itself puts there
     */
    record Setup(
            Path directory,
            Path script,
            String unit,
            Path sealKey,
            Duration slot,
            Supplier<URI> gateway,
            Supplier<SdkClients> aws,
            ProcessStarter processes,
            Console console) {}

    private final Setup setup;
    private final Path systemctl;
    private final Map<String, Machine> machines = new ConcurrentHashMap<>();

    /** Puts the image's boot script into a folder; where it is. */
    static Path script(Path folder) throws IOException {
        Path script = folder.resolve("vault_dr_node.py");
        try (InputStream in = ClusterMachines.class.getResourceAsStream(SCRIPT)) {
            if (in == null) {
                throw new IllegalStateException(SCRIPT + " is not on the class path");
            }
            Files.copy(in, script);
        }
        return script;
    }

    /**
     * Lets an app's templates say where the audit file lies here: in the folder of the machine
     * whose server opens it. The cluster remembers its name, which therefore is the same on every
     * node, and functions compare it with what they are told.
     *
     * @param assembly the synthesised app
     */
    static void moveAuditFile(Path assembly, String file) throws IOException {
        try (Stream<Path> all = Files.list(assembly)) {
            for (Path it : all.filter(it -> it.toString().endsWith(".template.json")).toList()) {
                Files.writeString(it, Files.readString(it).replace(file, "/proc/self/cwd" + file));
            }
        }
    }

    ClusterMachines(Setup setup) throws IOException {
        this.setup = setup;
        systemctl = Systemctl.install(setup.directory.resolve("bin"));
    }

    @Override
    public void launch(Instance instance) {
        Machine machine = new Machine(instance);
        machines.put(instance.id(), machine);
        Thread.ofVirtual().name("boot-" + instance.id()).start(machine::boot);
        Thread.ofVirtual().name("systemd-" + instance.id()).start(machine::answer);
    }

    @Override
    public void end(String instanceId) {
        Machine machine = machines.remove(instanceId);
        if (machine != null) {
            machine.end();
        }
    }

    @Override
    public boolean runs(String instanceId) {
        return machines.containsKey(instanceId);
    }

    @Override
    public List<String> instances(String region, String tagKey, String tagValue) {
        return machines.values().stream()
                .map(machine -> machine.instance)
                .filter(it -> it.region().equals(region))
                .filter(it -> tagValue.equals(it.tags().get(tagKey)))
                .map(Instance::id)
                .toList();
    }

    @Override
    public CommandResult run(String instanceId, List<String> commands, Duration limit) {
        Machine machine = machines.get(instanceId);
        if (machine == null) {
            throw new IllegalArgumentException("no machine " + instanceId);
        }
        return machine.run(commands, limit);
    }

    @Override
    public void capacity(String region, String group, int desired) {
        throw new IllegalArgumentException("group " + group + " is in no template");
    }

    @Override
    public List<String> groupInstances(String region, String group) {
        throw new IllegalArgumentException("group " + group + " is in no template");
    }

    /** Whether a machine's server runs. */
    boolean serves(String instanceId) {
        Machine machine = machines.get(instanceId);
        return machine != null && machine.active();
    }

    @Override
    public void close() {
        machines.values().forEach(Machine::end);
    }

    /** One machine. */
    private final class Machine implements Systemctl.Unit {
        private final Instance instance;
        private final Path folder;
        private final List<Process> scripts = new ArrayList<>();
        private @Nullable Metadata metadata;
        private @Nullable Process server;
        private volatile boolean ended;

        private Machine(Instance instance) {
            this.instance = instance;
            folder = setup.directory.resolve(instance.id());
        }

        private void boot() {
            try {
                Files.createDirectories(folder);
                Map<String, String> tags = new HashMap<>(instance.tags());
                tags.computeIfPresent(NODE_TAG, (key, name) -> told(name));
                synchronized (this) {
                    if (ended) {
                        return;
                    }
                    metadata = new Metadata(instance, tags);
                }
                int code = script("boot").waitFor();
                // What systemd does.
                while (code != 0 && code != QUARANTINED && !ended) {
                    Thread.sleep(AGAIN);
                    code = script("boot").waitFor();
                }
                if (!ended) {
                    var _ = script("watch");
                }
            } catch (IOException e) {
                if (!ended) {
                    throw new UncheckedIOException("boot " + instance.id(), e);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        /** Puts the node's parameter with this machine's own paths beside it; its name. */
        private String told(String name) {
            try (SsmClient ssm =
                    setup.aws.get().at(SsmClient.builder(), instance.region()).build()) {
                ObjectNode node =
                        (ObjectNode)
                                Json.MAPPER.readTree(
                                        ssm.getParameter(it -> it.name(name)).parameter().value());
                node.put("dataDirectory", folder + node.path("dataDirectory").asText());
                node.putObject("seal").put("type", "static").put("file", setup.sealKey.toString());
                String own = name + "/" + instance.id();
                ssm.putParameter(
                        it ->
                                it.name(own)
                                        .type(ParameterType.STRING)
                                        .overwrite(true)
                                        .value(node.toString()));
                return own;
            } catch (JsonProcessingException e) {
                throw new IllegalStateException(name + ": expected JSON", e);
            }
        }

        private synchronized Process script(String command) throws IOException {
            if (ended) {
                throw new IOException(instance.id() + " has ended");
            }
            var builder =
                    new ProcessBuilder(
                                    Environment.program("python").toString(),
                                    setup.script.toString(),
                                    command)
                            .directory(folder.toFile())
                            .redirectErrorStream(true)
                            .redirectOutput(
                                    ProcessBuilder.Redirect.appendTo(
                                            log("node-" + command + ".log").toFile()));
            environment(builder)
                    .putAll(
                            Map.of(
                                    "VAULT_DR_DIRECTORY",
                                    folder.resolve("etc/vault-dr").toString(),
                                    "VAULT_DR_METRICS_ADDRESS",
                                    instance.address().getHostAddress() + ":8202",
                                    "VAULT_DR_SYSTEMCTL",
                                    systemctl.toString(),
                                    "VAULT_DR_SLOT_SECONDS",
                                    String.valueOf(setup.slot.toMillis() / 1000.0)));
            Process process = setup.processes.start(builder);
            scripts.add(process);
            return process;
        }

        private Path log(String name) {
            return folder.resolve(name);
        }

        /** Signed in as the instance is: by its metadata service, out of everything else. */
        private Map<String, String> environment(ProcessBuilder builder) {
            Map<String, String> environment = builder.environment();
            environment.keySet().removeIf(name -> name.matches("(AWS|BAO|VAULT)_.*"));
            environment.put("AWS_ENDPOINT_URL", setup.gateway.get().toString());
            environment.put("MACHINE", folder.toString());
            Metadata service = metadata;
            if (service != null) {
                environment.put("AWS_EC2_METADATA_SERVICE_ENDPOINT", service.endpoint().toString());
            }
            return environment;
        }

        private void answer() {
            try {
                while (!ended) {
                    if (Files.isDirectory(folder)) {
                        Systemctl.answer(folder, setup.unit, this);
                    }
                    Thread.sleep(POLL);
                }
            } catch (IOException e) {
                if (!ended) {
                    throw new UncheckedIOException("systemctl of " + instance.id(), e);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public synchronized void start() {
            if (ended || active()) {
                return;
            }
            var builder =
                    new ProcessBuilder(
                                    Environment.bao().toString(),
                                    "server",
                                    "-config=" + folder.resolve("etc/vault-dr/server.json"))
                            .directory(folder.toFile())
                            .redirectErrorStream(true)
                            .redirectOutput(
                                    ProcessBuilder.Redirect.appendTo(log("server.log").toFile()));
            environment(builder);
            try {
                server = setup.processes.start(builder);
            } catch (IOException e) {
                throw new UncheckedIOException("start the server of " + instance.id(), e);
            }
        }

        @Override
        public void stop() {
            Process running = server;
            if (running == null) {
                return;
            }
            running.destroy();
            try {
                if (!running.waitFor(STOPPING.toSeconds(), TimeUnit.SECONDS)) {
                    running.destroyForcibly();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public void reload() {
            Process running = server;
            if (running != null) {
                signal(running, "HUP");
            }
        }

        private void signal(Process process, String signal) {
            try {
                setup.processes
                        .start(
                                new ProcessBuilder(
                                        "kill", "-" + signal, String.valueOf(process.pid())))
                        .waitFor();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public boolean active() {
            Process running = server;
            return running != null && running.isAlive();
        }

        /** Runs a document's commands, its paths being this machine's. */
        private CommandResult run(List<String> commands, Duration limit) {
            try {
                Path place = Files.createTempDirectory(folder, "document");
                String text =
                        String.join("\n", commands)
                                .replaceAll("(?<![\\w/.])/(opt|var/log|etc)/", folder + "/$1/");
                Path script = Files.writeString(place.resolve("document.sh"), text + "\n");
                var shell =
                        new ProcessBuilder("/bin/sh", script.toString())
                                .directory(place.toFile())
                                .redirectInput(
                                        ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
                                .redirectOutput(place.resolve("stdout").toFile())
                                .redirectError(place.resolve("stderr").toFile());
                environment(shell).put("PATH", systemctl.getParent() + ":" + System.getenv("PATH"));
                Process process = setup.processes.start(shell);
                if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                    process.destroyForcibly();
                    return new CommandResult(124, "", "not within " + limit);
                }
                return new CommandResult(
                        process.exitValue(),
                        Files.readString(place.resolve("stdout")),
                        Files.readString(place.resolve("stderr")));
            } catch (IOException e) {
                throw new UncheckedIOException("run a document on " + instance.id(), e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return new CommandResult(130, "", "interrupted");
            }
        }

        private synchronized void end() {
            ended = true;
            List<Process> all = new ArrayList<>(scripts);
            if (server != null) {
                all.add(server);
            }
            for (Process process : all) {
                List<ProcessHandle> started = process.descendants().toList();
                process.destroyForcibly();
                started.forEach(ProcessHandle::destroyForcibly);
            }
            if (metadata != null) {
                metadata.close();
            }
        }
    }
}
