package io.vaultdr.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.infra.config.DeployedFunction;
import io.vaultdr.model.Check;
import io.vaultdr.model.Check.Result;
import io.vaultdr.model.Failure;
import io.vaultdr.runtime.Json;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/** {@code doctor PAIR}: what is the matter, and what to do about it. */
@Command(
        name = "doctor",
        header = "Says what is the matter with a pair, as its functions see it.",
        description = {
            "Asks every deployed function of the pair, in all regions, a few at a time, for its dry"
                    + " run: all of its way but the last call, from its own network and with its"
                    + " own role."
                    + " Prints a line for each thing that was looked at (name resolution, TCP, TLS,"
                    + " health, login, policy, key, buckets, flag, ledger, …) and the fix beside"
                    + " each that fails. Changes nothing and pages nobody.",
            "",
            "Wants lambda:InvokeFunction on the functions' aliases live, and read of control."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:all is well, as far as it could be looked at",
            "1:something fails; its line says what to do",
            "2:the call can't be used; nothing was asked",
            "3:nothing is known to fail, and a function gave no answer"
        },
        mixinStandardHelpOptions = true)
final class DoctorCommand implements Callable<Integer> {
    private static final Ansi ANSI = Ansi.AUTO;

    /** Longer targets push what was seen to the right. */
    private static final int WIDEST = 48;

    @Spec private @Nullable CommandSpec spec;

    @Parameters(paramLabel = "PAIR", description = "The pair's name in the configuration.")
    private String pair = "";

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "The configuration, which names the functions. Default: ${DEFAULT-VALUE}")
    private Path config = Path.of("vault-dr.yaml");

    // A new account may run ten invocations at once in a region, and its probes need theirs:
    // https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    @Option(
            names = "--at-once",
            paramLabel = "N",
            description = {
                "How many functions to ask at once, 1 to 100; the probes go on beside them and"
                        + " count towards the account's concurrency too. Default: ${DEFAULT-VALUE}"
            })
    private int atOnce = 4;

    @Option(names = "--json", description = "Print what was found as JSON, one line.")
    private boolean json;

    /**
     * What one function said.
     *
     * @param unanswered why it said nothing
     */
    private record Examined(
            DeployedFunction function, List<Check> checks, Optional<String> unanswered) {}

    @Override
    public Integer call() throws InterruptedException {
        if (atOnce < 1 || atOnce > 100) {
            throw new Unusable("--at-once " + atOnce + ": expected 1 to 100");
        }
        Configuration.Found found = Configuration.pair(config, pair);
        List<DeployedFunction> functions = DeployedFunction.of(found.config(), found.pair());
        tell("Asking " + functions.size() + " functions for their dry runs…");
        List<Examined> all = examine(functions);
        Totals totals = Totals.of(all);
        out().print(json ? json(all, totals) + System.lineSeparator() : text(all, totals));
        out().flush();
        return totals.failed() > 0
                ? Exit.NEGATIVE
                : totals.unanswered() > 0 ? Exit.FAILED : Exit.EXPECTED;
    }

    private List<Examined> examine(List<DeployedFunction> functions) throws InterruptedException {
        AtomicInteger answered = new AtomicInteger();
        try (ExecutorService threads = Executors.newFixedThreadPool(atOnce)) {
            List<Future<Examined>> asked = new ArrayList<>();
            for (DeployedFunction function : functions) {
                asked.add(
                        threads.submit(
                                () -> {
                                    Examined examined = examine(function);
                                    tell(
                                            "  %d of %d: %s in %s"
                                                    .formatted(
                                                            answered.incrementAndGet(),
                                                            functions.size(),
                                                            function.name(),
                                                            function.region()));
                                    return examined;
                                }));
            }
            List<Examined> all = new ArrayList<>();
            for (Future<Examined> one : asked) {
                all.add(one.get());
            }
            return all;
        } catch (ExecutionException e) {
            throw new IllegalStateException("ask a function", e.getCause());
        }
    }

    private Examined examine(DeployedFunction function) {
        if (function.account().isPresent()) {
            return new Examined(
                    function,
                    List.of(
                            Check.notLookedAt(
                                    Check.DRY_RUN,
                                    function.name(),
                                    "it stands in account "
                                            + function.account().get()
                                            + ": sign in there, and invoke it with "
                                            + event(function))),
                    Optional.empty());
        }
        try {
            ControlFunction.Said said =
                    new ControlFunction(function.name(), function.region())
                            .ask(function.alias(), event(function), false);
            return new Examined(function, checks(function, said), Optional.empty());
        } catch (Failure e) {
            return new Examined(function, List.of(), Optional.of(String.valueOf(e.getMessage())));
        }
    }

    private JsonNode event(DeployedFunction function) {
        ObjectNode event = Json.MAPPER.createObjectNode().put("dryRun", true).put("report", true);
        if (DeployedFunction.STEPS.contains(function.purpose())) {
            event.put("pair", pair).put("epoch", 0);
        } else if (function.purpose().equals(DeployedFunction.PROBE)) {
            event.put("pair", pair);
        }
        return event;
    }

    private static List<Check> checks(DeployedFunction function, ControlFunction.Said said) {
        if (said.failed()) {
            return List.of(
                    Check.failed(
                            Check.DRY_RUN,
                            function.name(),
                            said.message(),
                            "Its log group /aws/lambda/" + function.name() + " tells more"));
        }
        List<Check> checks = new ArrayList<>();
        said.answer()
                .path("checks")
                .forEach(check -> checks.add(Json.MAPPER.convertValue(check, Check.class)));
        // A function that is older than this command goes its way without telling of each look.
        return checks.isEmpty()
                ? List.of(Check.ok(Check.DRY_RUN, function.name(), "went through"))
                : checks;
    }

    private record Totals(long ok, long failed, long notLookedAt, long unanswered) {
        static Totals of(List<Examined> all) {
            return new Totals(
                    count(all, Result.OK),
                    count(all, Result.FAILED),
                    count(all, Result.NOT_LOOKED_AT),
                    all.stream().filter(it -> it.unanswered().isPresent()).count());
        }

        private static long count(List<Examined> all, Result result) {
            return all.stream()
                    .flatMap(it -> it.checks().stream())
                    .filter(check -> check.result() == result)
                    .count();
        }

        @Override
        public String toString() {
            return ok
                    + " well, "
                    + failed
                    + " failed, "
                    + notLookedAt
                    + " not looked at"
                    + (unanswered > 0 ? "; " + unanswered + " functions gave no answer" : "");
        }
    }

    private String text(List<Examined> all, Totals totals) {
        StringBuilder text = new StringBuilder();
        for (Examined one : all) {
            text.append('\n')
                    .append(ANSI.string("@|bold " + one.function().purpose() + "|@"))
                    .append(" in ")
                    .append(one.function().region())
                    .append('\n');
            one.unanswered()
                    .ifPresent(
                            why ->
                                    text.append("  ")
                                            .append(ANSI.string("@|yellow ?|@"))
                                            .append(" no answer: ")
                                            .append(why)
                                            .append('\n'));
            int name = width(one.checks().stream().map(Check::name).toList());
            int target = width(one.checks().stream().map(Check::target).toList());
            one.checks().forEach(check -> append(text, check, name, target));
        }
        return text.append('\n')
                .append(pair)
                .append(": ")
                .append(totals)
                .append('\n')
                .toString()
                .replace("\n", System.lineSeparator());
    }

    private static int width(List<String> texts) {
        return texts.stream().mapToInt(String::length).filter(it -> it <= WIDEST).max().orElse(0);
    }

    private static void append(StringBuilder text, Check check, int name, int target) {
        text.append("  ")
                .append(
                        ANSI.string(
                                switch (check.result()) {
                                    case OK -> "@|green ✓|@";
                                    case FAILED -> "@|bold,red ✗|@";
                                    case NOT_LOOKED_AT -> "@|faint ·|@";
                                }))
                .append(' ')
                .append(padded(check.name(), name))
                .append("  ")
                .append(padded(check.target(), target))
                .append("  ")
                .append(check.result() == Result.NOT_LOOKED_AT ? "not looked at: " : "")
                .append(check.saw())
                .append('\n');
        if (!check.fix().isEmpty()) {
            text.append("      → ").append(check.fix()).append('\n');
        }
    }

    private static String padded(String text, int width) {
        return text + " ".repeat(Math.max(0, width - text.length()));
    }

    private String json(List<Examined> all, Totals totals) {
        ObjectNode report = Json.MAPPER.createObjectNode().put("pair", pair);
        report.put("ok", totals.ok())
                .put("failed", totals.failed())
                .put("notLookedAt", totals.notLookedAt())
                .put("unanswered", totals.unanswered());
        ArrayNode functions = report.putArray("functions");
        for (Examined one : all) {
            ObjectNode function =
                    functions
                            .addObject()
                            .put("function", one.function().name())
                            .put("region", one.function().region());
            one.unanswered().ifPresent(why -> function.put("unanswered", why));
            function.set("checks", Json.MAPPER.valueToTree(one.checks()));
        }
        return report.toString();
    }

    /** How far it is, beside the answer. */
    private void tell(String line) {
        if (!json) {
            PrintWriter err = Objects.requireNonNull(spec).commandLine().getErr();
            err.println(line);
            err.flush();
        }
    }

    private PrintWriter out() {
        return Objects.requireNonNull(spec).commandLine().getOut();
    }
}
