package io.vaultdr.rehearsal;

import io.vaultdr.infra.VaultDrApp;
import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.ConfigFile;
import io.vaultdr.infra.config.ConfigFile.Loaded;
import io.vaultdr.model.Slots;
import io.vaultdr.rehearsal.world.FunctionSpec;
import io.vaultdr.rehearsal.world.Machines;
import io.vaultdr.rehearsal.world.MotoServer;
import io.vaultdr.rehearsal.world.World;
import io.vaultdr.rehearsal.world.WorldEvent;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Runs one function on an event in a throw-away world: the configuration is synthesised and applied
 * as a rehearsal does, nothing runs by the clock, and there are no Vault servers. What the function
 * answers is printed, and on the side what it was denied.
 */
public final class InvokeBackend {
    private InvokeBackend() {}

    /**
     * What to run.
     *
     * @param root the project's folder
     * @param config the configuration to synthesise
     * @param functionsZip the zip that Maven built
     * @param function the function's name, or the end of it such as {@code probe}
     * @param event the event's JSON
     * @param region where it runs, needed where several regions have a function of this name
     * @param alias by which it is called; the first one it has unless said
     */
    public record Options(
            Path root,
            Path config,
            Path functionsZip,
            String function,
            String event,
            Optional<String> region,
            Optional<String> alias) {}

    /**
     * Runs it, prints the answer to {@code out} and all else to {@code err}.
     *
     * @return 0 when the function answered, 1 when it failed, 2 when there is no such function or
     *     the configuration has mistakes
     */
    public static int run(Options options, PrintStream out, PrintStream err) {
        try {
            return switch (ConfigFile.load(options.config)) {
                case Loaded.Bad(var mistakes) -> {
                    mistakes.forEach(err::println);
                    yield 2;
                }
                case Loaded.Good(Config config) -> run(inThisWorld(config), options, out, err);
            };
        } catch (IOException e) {
            throw new UncheckedIOException("invoke " + options.function, e);
        }
    }

    private static int run(Config config, Options options, PrintStream out, PrintStream err)
            throws IOException {
        Path scratch = Files.createTempDirectory("vault-dr-invoke");
        Path hosts = Files.writeString(scratch.resolve("hosts"), "127.0.0.1 localhost\n");
        try (Children children = new Children(scratch);
                World world =
                        World.start(
                                new World.Setup(
                                        options.root,
                                        scratch,
                                        Slots.DEFAULT_LENGTH,
                                        region -> hosts,
                                        Machines.none(),
                                        children::start,
                                        event -> tell(event, err)))) {
            Path assembly = scratch.resolve("cdk.out");
            VaultDrApp.synth(config, options.functionsZip, assembly);
            world.apply(assembly);
            return invoke(world, options, out, err);
        }
    }

    /** The same configuration in the one account that exists here, whatever it says itself. */
    private static Config inThisWorld(Config config) {
        return new Config(
                config.file(),
                config.prefix(),
                Optional.of(MotoServer.ACCOUNT),
                config.tags(),
                config.permissionsBoundary(),
                config.egress(),
                config.vantages(),
                config.pairs());
    }

    private static int invoke(World world, Options options, PrintStream out, PrintStream err) {
        List<FunctionSpec> found =
                world.functions().stream()
                        .filter(
                                f ->
                                        f.name().equals(options.function)
                                                || f.name().endsWith("-" + options.function))
                        .filter(f -> options.region.map(f.region()::equals).orElse(true))
                        .toList();
        if (found.size() != 1) {
            err.println(
                    options.function
                            + ": expected the name of one function, "
                            + (found.isEmpty() ? "there are " : "these fit: ")
                            + (found.isEmpty() ? world.functions() : found)
                                    .stream().map(f -> f.name() + " in " + f.region()).toList());
            return 2;
        }
        FunctionSpec function = found.getFirst();
        String alias =
                options.alias.orElseGet(
                        () -> function.aliases().keySet().stream().sorted().toList().getFirst());
        World.Result result =
                world.invoke(function.region(), function.name(), alias, options.event);
        out.println(result.payload());
        return result.error().isPresent() ? 1 : 0;
    }

    private static void tell(WorldEvent event, PrintStream err) {
        switch (event) {
            case WorldEvent.CallDenied denied ->
                    err.println(
                            denied.function()
                                    + " isn't granted "
                                    + denied.action()
                                    + " on "
                                    + denied.resource());
            case WorldEvent.FunctionLog log -> err.println(log.line());
            default -> {}
        }
    }
}
