package io.vaultdr.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.ConfigFile.Loaded;
import io.vaultdr.rehearsal.InvokeBackend;
import io.vaultdr.runtime.Json;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;

/** {@code invoke FUNCTION}: one handler on one event. */
@Command(
        name = "invoke",
        header = "Runs one function on an event.",
        description = {
            "In a throw-away world on this machine: tables, buckets and roles are those of the"
                    + " synthesised templates, nothing runs by the clock, and there are no Vault"
                    + " servers. With --aws the deployed function is invoked instead.",
            "",
            "vault-dr invoke freshness-check",
            "vault-dr invoke control my-event.json --alias read"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:the function answered",
            "1:it failed in the throw-away world",
            "2:no such function, event or configuration",
            "3:AWS or the deployed function didn't do it"
        },
        mixinStandardHelpOptions = true)
final class InvokeCommand implements Callable<Integer> {
    /** What exists on both sides is home's unless said otherwise. */
    private static final Set<String> ON_BOTH_SIDES =
            Set.of(
                    "take-snapshot",
                    "freshness-check",
                    "retention",
                    "rotate-logins",
                    "initialize-cluster",
                    "retire-peer");

    /** What stands where snapshots are proven: in DR's region, the copy's, else home's. */
    private static final Set<String> WHERE_PROVEN =
            Set.of("prove-snapshot", "restore-secret", "drill");

    private static final String PROBE = "probe";

    @Spec private @Nullable CommandSpec spec;

    @Parameters(
            index = "0",
            paramLabel = "FUNCTION",
            description = "Its purpose, such as take-snapshot, judge, control, probe.")
    private String function = "";

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "EVENT",
            description = "A file with the event's JSON. Default: events/FUNCTION.json")
    private @Nullable Path event;

    @Option(names = "--aws", description = "Invoke what is deployed; it acts for real.")
    private boolean aws;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description =
                    "The configuration. Default: vault-dr.yaml; without one and without --aws, the"
                            + " example of the last rung")
    private @Nullable Path config;

    @Option(
            names = "--pair",
            paramLabel = "PAIR",
            description = "Whose function, where the configuration has several pairs.")
    private @Nullable String pair;

    @Option(
            names = "--region",
            paramLabel = "REGION",
            description =
                    "Where it runs, if not in home's region (snapshots, retention, logins, probe),"
                            + " where snapshots are proven (proofs, drill) or in DR's.")
    private @Nullable String region;

    @Option(
            names = "--alias",
            paramLabel = "ALIAS",
            description = "By which it is called: live, and read or operate for control.")
    private @Nullable String alias;

    @Override
    public Integer call() throws IOException {
        Path root = Path.of(System.getProperty("vaultdr.root", "."));
        Path file = configuration(root);
        Config read =
                switch (Configuration.read(file)) {
                    case Loaded.Good(Config good) -> good;
                    case Loaded.Bad(var mistakes) ->
                            throw new Unusable(
                                    file + ": " + mistakes.size() + " mistakes; see config check");
                };
        Config.Pair whose = pair(read, file);
        String name =
                read.prefix() + (function.equals(PROBE) ? "" : "-" + whose.id()) + "-" + function;
        String where = region == null ? region(whose) : region;
        JsonNode json = event(root);
        return aws ? deployed(name, where, json) : here(root, file, name, where, json);
    }

    private int deployed(String name, String where, JsonNode json) {
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        out.println(new ControlFunction(name, where).invoke(alias(), json, true));
        out.flush();
        return Exit.EXPECTED;
    }

    private int here(Path root, Path file, String name, String where, JsonNode json) {
        return InvokeBackend.run(
                new InvokeBackend.Options(
                        root,
                        file,
                        root.resolve("functions/target/vault-dr-functions.zip"),
                        name,
                        json.toString(),
                        Optional.of(where),
                        Optional.of(alias())),
                System.out,
                System.err);
    }

    private String alias() {
        return alias != null ? alias : function.equals("control") ? "read" : "live";
    }

    private Path configuration(Path root) {
        Path usual = Path.of("vault-dr.yaml");
        return config != null
                ? config
                : aws || Files.exists(usual)
                        ? usual
                        : root.resolve("infra-cdk/examples/automatic.yaml");
    }

    private Config.Pair pair(Config read, Path file) {
        if (pair != null) {
            return Configuration.pair(file, pair).pair();
        }
        if (read.pairs().size() > 1 && !function.equals(PROBE)) {
            throw new Unusable(file + ": holds several pairs, expected --pair");
        }
        return read.pairs().getFirst();
    }

    private String region(Config.Pair whose) {
        if (ON_BOTH_SIDES.contains(function) || function.equals(PROBE)) {
            return whose.home().region();
        }
        if (WHERE_PROVEN.contains(function)) {
            return whose.proving()
                    .map(it -> function.equals("drill") ? whose.drillRegion() : whose.proofRegion())
                    .orElseThrow(() -> missing(whose, "proven"));
        }
        return whose.dr()
                .filter(dr -> whose.probed())
                .map(Config.Cluster::region)
                .orElseThrow(() -> missing(whose, "observe"));
    }

    private Unusable missing(Config.Pair whose, String from) {
        return new Unusable(
                function
                        + ": "
                        + whose.id()
                        + " is on the rung "
                        + ConfigCommand.word(whose.stage())
                        + ", expected one from "
                        + from
                        + " on, with --pair and --config");
    }

    private JsonNode event(Path root) {
        Path file = event == null ? root.resolve("events/" + function + ".json") : event;
        if (!Files.isRegularFile(file)) {
            throw new Unusable(
                    file
                            + ": no such file, expected an event's JSON; events/ holds one for each"
                            + " function");
        }
        try {
            return Json.MAPPER.readTree(Files.readString(file));
        } catch (JsonProcessingException e) {
            throw new Unusable(file + ": no JSON: " + e.getOriginalMessage());
        } catch (IOException e) {
            throw new Unusable(file + ": can't be read: " + e.getMessage());
        }
    }
}
