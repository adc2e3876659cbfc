package io.vaultdr.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.runtime.Json;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;

/** {@code retention PAIR --dry-run}: what Retention would delete; and what people tell it. */
@Command(
        name = "retention",
        header = "Shows what Retention would delete, and why; ends a freeze.",
        description = {
            "Asks the deployed function, so what is shown is what its next run (every hour) does."
                    + " What no rule of snapshots.keep wants goes, in all buckets, with all"
                    + " versions. Never the newest proven one, never what is locked.",
            "",
            "The same with the AWS CLI:",
            "aws lambda invoke --function-name vault-dr-PAIR-retention:live --region REGION"
                    + " --cli-binary-format raw-in-base64-out --payload '{\"dryRun\":true}'"
                    + " /dev/stdout",
            ""
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:shown, or done",
            "1:frozen, unfinished, not this side's turn, or held since a bucket doesn't answer",
            "2:no such configuration or pair; nothing was done",
            "3:AWS or the function didn't do it, or the dry run found a bucket that doesn't answer"
        },
        subcommands = RetentionCommand.Accept.class,
        mixinStandardHelpOptions = true)
final class RetentionCommand implements Callable<Integer> {
    @Spec private @Nullable CommandSpec spec;
    @Mixin private Place place = new Place();

    @Parameters(
            paramLabel = "PAIR",
            arity = "0..1",
            description = "The pair's name in the configuration.")
    private String pair = "";

    @Option(names = "--dry-run", description = "Delete nothing; show what would go, and why.")
    private boolean dryRun;

    @Option(names = "--now", description = "Run at once instead of within the hour. It deletes.")
    private boolean now;

    /** Which function is meant. */
    static final class Place {
        @Option(
                names = "--config",
                paramLabel = "FILE",
                description = "The configuration. Default: ${DEFAULT-VALUE}")
        private Path config = Path.of("vault-dr.yaml");

        @Option(
                names = "--region",
                paramLabel = "REGION",
                description =
                        "Where the function runs. Default: home's region. A copy in another"
                                + " account has one of its own: name its region, with AWS_PROFILE"
                                + " of that account.")
        private @Nullable String region;

        @Option(names = "--json", description = "Print the function's answer as it is, one line.")
        private boolean json;

        JsonNode invoke(String pair, ObjectNode event, boolean changes) {
            Configuration.Found found = Configuration.pair(config, pair);
            return new ControlFunction(
                            found.config().prefix() + "-" + pair + "-retention",
                            region == null ? found.pair().home().region() : region)
                    .invoke("live", event, changes);
        }
    }

    @Override
    public Integer call() {
        if (pair.isBlank()) {
            throw new Unusable("retention without PAIR: expected a pair's name, or accept");
        }
        if (dryRun == now) {
            throw new Unusable("expected --dry-run, which deletes nothing, or --now, which does");
        }
        JsonNode answer =
                place.invoke(pair, Json.MAPPER.createObjectNode().put("dryRun", dryRun), !dryRun);
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        if (place.json) {
            out.println(answer);
        } else {
            print(out, answer);
        }
        out.flush();
        String result = answer.path("result").asText();
        return result.equals("DONE") || result.equals("DRY_RUN") ? Exit.EXPECTED : Exit.NEGATIVE;
    }

    private void print(PrintWriter out, JsonNode answer) {
        boolean done = answer.path("result").asText().matches("DONE|UNFINISHED");
        switch (answer.path("result").asText()) {
            case "NOT_SERVING" -> out.println("The other side serves; its Retention works.");
            case "HELD" -> out.println("Nothing goes while something doesn't answer:");
            case "FROZEN" -> {
                out.println(
                        "Frozen: snapshot "
                                + answer.at("/freeze/sample/id").asText()
                                + " shrank suspiciously, and nothing goes before a person has"
                                + " looked.");
                answer.at("/freeze/falls")
                        .forEach(
                                fall ->
                                        out.printf(
                                                "  %s fell from %,d to %,d%n",
                                                fall.path("measure").asText(),
                                                fall.path("before").asLong(),
                                                fall.path("now").asLong()));
                out.println(
                        "If it was meant: vault-dr retention accept "
                                + pair
                                + " --reason TEXT. Otherwise docs/runbooks/retention-frozen.md.");
            }
            default ->
                    out.printf(
                            "%s of %d snapshots: %d deleted, %d marked for the archive, %d stray"
                                    + " objects swept%n",
                            done ? "Done" : "Would be done",
                            answer.path("snapshots").asInt(),
                            answer.path("deletedCount").asInt(),
                            answer.path("archivedCount").asInt(),
                            answer.path("swept").asInt());
        }
        List<List<String>> table = new ArrayList<>();
        for (String list : List.of("deleted", "archived")) {
            answer.path(list)
                    .forEach(
                            going ->
                                    table.add(
                                            List.of(
                                                    (done ? "  " : "  to be ") + list,
                                                    going.path("id").asText(),
                                                    going.path("rule").asText())));
        }
        if (!table.isEmpty()) {
            out.print(Sizes.table(table));
        }
        answer.path("problems").forEach(problem -> out.println("  " + problem.asText()));
    }

    /** {@code retention accept PAIR}. */
    @Command(
            name = "accept",
            header = "Says that a fall was meant, and ends the freeze.",
            description = {
                "Records what the snapshots fell to as the new baseline, who said so and why: the"
                        + " same fall never freezes again, a further one does. Look first:"
                        + " docs/runbooks/retention-frozen.md."
            },
            exitCodeListHeading = "%nExit codes:%n",
            exitCodeList = {
                "0:accepted; the next run deletes again",
                "1:nothing is frozen",
                "2:no such configuration or pair, or no reason",
                "3:AWS or the function didn't do it"
            },
            mixinStandardHelpOptions = true)
    static final class Accept implements Callable<Integer> {
        @Spec private @Nullable CommandSpec spec;
        @Mixin private Place place = new Place();

        @Parameters(paramLabel = "PAIR", description = "The pair's name in the configuration.")
        private String pair = "";

        @Option(
                names = "--by",
                paramLabel = "NAME",
                description = "Who says so, as it shall be shown. Default: ${DEFAULT-VALUE}")
        private String by = System.getProperty("user.name", "");

        @Option(
                names = "--reason",
                paramLabel = "TEXT",
                description = "Why it was meant, for whoever reads it later.")
        private String reason = "";

        @Override
        public Integer call() {
            if (reason.isBlank() || by.isBlank()) {
                throw new Unusable("accept wants --reason and --by: who said that it was meant");
            }
            ObjectNode event = Json.MAPPER.createObjectNode();
            event.putObject("accept").put("by", by).put("reason", reason);
            JsonNode answer = place.invoke(pair, event, true);
            boolean accepted = answer.path("result").asText().equals("ACCEPTED");
            PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
            out.println(
                    place.json
                            ? answer.toString()
                            : accepted
                                    ? "Accepted: "
                                            + answer.at("/acceptance/baseline/id").asText()
                                            + " is the new baseline; the next run deletes again."
                                    : "Nothing is frozen; nothing was done.");
            out.flush();
            return accepted ? Exit.EXPECTED : Exit.NEGATIVE;
        }
    }
}
