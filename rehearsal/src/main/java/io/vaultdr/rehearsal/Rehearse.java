package io.vaultdr.rehearsal;

import io.vaultdr.rehearsal.Console.Tone;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Plays one scenario against real servers, functions and templates, and says how it went. What the
 * command line calls.
 */
public final class Rehearse {
    /**
     * What is asked for.
     *
     * @param root the project's folder: its Python environment and the functions' zip are below it
     * @param scenario one of {@link #scenarios}
     * @param fast a slot of one second instead of ten
     * @param report where to write the report; empty for a folder below {@code root}
     * @param colour whether the output is a terminal
     * @param commands the main class of the command line, which a scenario's operator types
     */
    public record Options(
            Path root,
            String scenario,
            boolean fast,
            Optional<Path> report,
            boolean colour,
            Class<?> commands) {}

    private Rehearse() {}

    /** The names of all scenarios, the default one first. */
    public static List<String> scenarios() {
        return explained().stream().map(Explained::name).toList();
    }

    /** What a scenario is, whoever made its clusters. */
    private record Explained(String name, String what, String expected) {}

    private static List<Explained> explained() {
        return Stream.concat(
                        Scenario.ALL.stream()
                                .map(it -> new Explained(it.name(), it.what(), it.expected())),
                        ClusterScenario.ALL.stream()
                                .map(it -> new Explained(it.name(), it.what(), it.expected())))
                .toList();
    }

    /** Explains all scenarios. */
    public static void list(PrintStream out) {
        String first = scenarios().getFirst();
        for (Explained scenario : explained()) {
            out.println(scenario.name() + (scenario.name().equals(first) ? "  (default)" : ""));
            out.println("    " + scenario.what());
            out.println("    Expected: " + scenario.expected());
        }
    }

    /**
     * Rehearses, and cleans up whatever happens.
     *
     * @return 0 if it went as the scenario expects, 1 if not or if it couldn't be played, 2 for a
     *     scenario that doesn't exist
     */
    public static int run(Options options, PrintStream out) {
        Optional<Scenario> scenario = Scenario.named(options.scenario());
        Optional<ClusterScenario> ofCluster = ClusterScenario.named(options.scenario());
        if (scenario.isEmpty() && ofCluster.isEmpty()) {
            out.println(
                    "scenario '"
                            + options.scenario()
                            + "': not known, expected one of "
                            + String.join(", ", scenarios()));
            return 2;
        }
        // The fixtures find the Python environment by it.
        System.setProperty("vaultdr.root", options.root().toAbsolutePath().toString());
        Console console = new Console(out, options.colour(), Clock.systemUTC());
        Path scratch;
        try {
            scratch = Files.createTempDirectory("vault-dr-rehearsal");
        } catch (IOException e) {
            out.println("scratch space: " + e + "; expected a temporary folder to write to");
            return 1;
        }
        try (var children = new Children(scratch)) {
            Runnable killAll = children::close;
            var cleanUp =
                    new Thread(
                            () -> {
                                console.end("ended before its end; every process is stopped");
                                killAll.run();
                            });
            Runtime.getRuntime().addShutdownHook(cleanUp);
            try {
                return ofCluster.isPresent()
                        ? new ClusterRehearsal(options, ofCluster.get(), console, scratch, children)
                                .play()
                        : new Rehearsal(options, scenario.orElseThrow(), console, scratch, children)
                                .play();
            } catch (Exception | AssertionError e) {
                Mishap.lines(e, scratch).forEach(line -> console.print(Tone.BAD, line));
                return 1;
            } finally {
                forget(cleanUp);
            }
        }
    }

    private static void forget(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // Ctrl-C: it is running already, and does what is to be done.
            return;
        }
    }
}
