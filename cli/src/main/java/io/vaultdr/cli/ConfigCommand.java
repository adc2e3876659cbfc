package io.vaultdr.cli;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.ConfigFile.Loaded;
import io.vaultdr.infra.config.CopyAccount;
import io.vaultdr.infra.config.Cost;
import io.vaultdr.infra.config.Mistake;
import io.vaultdr.infra.config.NetworkPaths;
import io.vaultdr.infra.config.NetworkPaths.NetworkPath;
import io.vaultdr.infra.config.NextRung;
import io.vaultdr.infra.config.Warnings;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/** {@code config check}: what synthesis would say of a configuration, and what it needs. */
@Command(
        name = "config",
        header = "Checks configurations.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true)
final class ConfigCommand {
    @Spec private @Nullable CommandSpec spec;

    @Command(
            name = "check",
            header = "Checks a configuration without synthesis.",
            description = {
                "Tells all mistakes at once, each with line, path, what was read and what is"
                        + " expected. Of a good one it prints what each function in a VPC has to"
                        + " reach, what it costs a month, and what each pair's next rung of the"
                        + " ladder wants. Calls nothing and nobody."
            },
            exitCodeListHeading = "%nExit codes:%n",
            exitCodeList = {"0:it is good", "1:it has mistakes", "2:no such file"},
            mixinStandardHelpOptions = true)
    int check(
            @Parameters(
                            paramLabel = "FILE",
                            arity = "0..1",
                            defaultValue = "vault-dr.yaml",
                            description = "The configuration. Default: ${DEFAULT-VALUE}")
                    Path file) {
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        return switch (Configuration.read(file)) {
            case Loaded.Bad(List<Mistake> mistakes) -> {
                out.println(file + ": " + mistakes.size() + " to put right");
                mistakes.forEach(mistake -> out.println("  " + mistake));
                out.flush();
                yield Exit.NEGATIVE;
            }
            case Loaded.Good(Config config) -> {
                print(out, file, config);
                out.flush();
                yield Exit.EXPECTED;
            }
        };
    }

    private static void print(PrintWriter out, Path file, Config config) {
        out.println(file + ": good");
        config.pairs()
                .forEach(
                        pair ->
                                out.println(
                                        "  "
                                                + pair.id()
                                                + ": stage "
                                                + word(pair.stage())
                                                + ", home "
                                                + pair.home().region()
                                                + pair.dr()
                                                        .map(dr -> ", DR " + dr.region())
                                                        .orElse("")));
        config.pairs().stream()
                .flatMap(pair -> Warnings.of(pair).stream())
                .forEach(warning -> out.println("  Mind: " + warning));
        paths(out, "What functions in a VPC have to reach", NetworkPaths.of(config), "  ");
        for (CopyAccount copy : CopyAccount.of(config)) {
            out.printf("%nWhat account %s needs, for %s's copy%n", copy.account(), copy.pair());
            copy.needs().forEach(need -> out.println("  " + need));
        }
        Cost cost = Cost.of(config);
        out.printf(
                Locale.ROOT,
                "%nAbout %.0f USD a month, without servers that were brought, stored bytes and"
                        + " transfer%n",
                cost.total());
        cost.items().forEach(item -> out.println("  " + item));
        for (NextRung rung : NextRung.of(config)) {
            out.printf(
                    "%nThe next rung of %s: %s%n  In the configuration:%n",
                    rung.pair(), word(rung.next()));
            rung.keys().forEach(key -> out.println("    " + key));
            if (!rung.permissions().isEmpty()) {
                out.println("  More that roles may do, all made by the stacks:");
                rung.permissions().forEach(permission -> out.println("    " + permission));
            }
            paths(out, "  More to reach", rung.paths(), "    ");
            if (!rung.monthly().isEmpty()) {
                out.printf(
                        Locale.ROOT,
                        "  More a month: %.0f USD%n",
                        rung.monthly().stream().mapToDouble(Cost.Item::usd).sum());
                rung.monthly().forEach(item -> out.println("    " + item));
            }
        }
    }

    /** By function, so that whoever opens the way sees at once for whom. */
    private static void paths(
            PrintWriter out, String title, List<NetworkPath> paths, String indent) {
        if (paths.isEmpty()) {
            return;
        }
        if (!title.startsWith(" ")) {
            out.println();
        }
        out.println(title);
        Map<String, Boolean> told = new LinkedHashMap<>();
        for (NetworkPath path : paths) {
            String source = path.function() + " in " + path.region() + " (" + path.vpc() + ")";
            if (told.put(source, true) == null) {
                out.println(indent + source);
            }
            out.println(indent + "  " + path.to() + ":" + path.port() + "  " + path.way());
        }
    }

    static String word(Enum<?> stage) {
        return stage.name().toLowerCase(Locale.ROOT);
    }
}
