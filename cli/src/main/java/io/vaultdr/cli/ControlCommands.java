package io.vaultdr.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.runtime.Json;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import java.io.Console;
import java.io.PrintWriter;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;

/**
 * What people tell a pair, through its Control function: {@code status} by the alias {@code read},
 * the others by {@code operate}, so that IAM can tell them apart. CloudTrail proves who called;
 * {@code --by} is only what is shown.
 */
final class ControlCommands {
    private ControlCommands() {}

    /** Shared by all of them. */
    abstract static class Action implements Callable<Integer> {
        @Spec private @Nullable CommandSpec spec;
        @Mixin protected Target target = new Target();

        /** Calls {@code alias} with {@code event} and shows what it answers. */
        final int call(String alias, ObjectNode event) {
            JsonNode answer = target.function().invoke(alias, event, !alias.equals("read"));
            PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
            if (target.json()) {
                out.println(answer);
            } else {
                out.print(
                        answer.has("message")
                                ? answer.get("message").asText() + System.lineSeparator()
                                : Answer.text(answer));
            }
            out.flush();
            return switch (answer.path("result").asText()) {
                case "DONE" -> Exit.EXPECTED;
                case "REFUSED" -> Exit.NEGATIVE;
                case "INVALID" -> Exit.UNUSABLE;
                default ->
                        throw new Unusable(
                                "the function's answer has no result; is "
                                        + target.function().name()
                                        + " vault-dr's Control function?");
            };
        }
    }

    /** What changes something says who asks and why. */
    abstract static class Operation extends Action {
        @Option(
                names = "--by",
                paramLabel = "NAME",
                description = "Who asks, as the incident shall show it. Default: ${DEFAULT-VALUE}")
        private String by = System.getProperty("user.name", "");

        @Option(
                names = "--reason",
                paramLabel = "TEXT",
                description =
                        "Why, for whoever reads the incident later. pause and failover want one.")
        private String reason = "";

        final ObjectNode event(String action) {
            return Json.MAPPER
                    .createObjectNode()
                    .put("action", action)
                    .put("by", by)
                    .put("reason", reason);
        }

        final ObjectNode explained(String action) {
            if (reason.isBlank()) {
                throw new Unusable(
                        action + " without --reason: expected why, for those who read it later");
            }
            return event(action);
        }
    }

    /** An answer to an incident that waits for a person. */
    abstract static class Reply extends Operation {
        @Option(
                names = "--incident",
                paramLabel = "NUMBER",
                description =
                        "The number behind the incident's name (payments-7: 7), so that the answer"
                                + " can't meet another question. Default: the newest incident")
        private @Nullable Long epoch;

        final int reply(String action) {
            ObjectNode event = event(action);
            if (epoch != null) {
                event.put("epoch", epoch);
            }
            return call("operate", event);
        }
    }

    /** {@code status PAIR}. */
    @Command(
            name = "status",
            header = "Shows how a pair stands.",
            description = {
                "Serving side, what each vantage says, diagnosis, gates, verdict, the newest"
                        + " incident and the history. Changes nothing.",
                "",
                "The same with the AWS CLI:",
                "aws lambda invoke --function-name vault-dr-PAIR-control:read --region REGION"
                        + " --cli-binary-format raw-in-base64-out"
                        + " --payload '{\"action\":\"status\"}' /dev/stdout"
            },
            mixinStandardHelpOptions = true)
    static final class Status extends Action {
        @Override
        public Integer call() {
            return call("read", Json.MAPPER.createObjectNode().put("action", "status"));
        }
    }

    /** {@code pause PAIR}. */
    @Command(
            name = "pause",
            header = "Stops a pair from failing over by itself, for maintenance.",
            description =
                    "Probing, evidence and diagnosis go on and are shown; nothing is opened until"
                            + " resume. An incident that is open already isn't stopped.",
            mixinStandardHelpOptions = true)
    static final class Pause extends Operation {
        @Override
        public Integer call() {
            return call("operate", explained("pause"));
        }
    }

    /** {@code resume PAIR}. */
    @Command(
            name = "resume",
            header = "Ends a pause.",
            description = "The next evaluation, within a minute, acts again.",
            mixinStandardHelpOptions = true)
    static final class Resume extends Operation {
        @Override
        public Integer call() {
            return call("operate", event("resume"));
        }
    }

    /** {@code approve PAIR}. */
    @Command(
            name = "approve",
            header = "Lets a waiting incident go on.",
            description =
                    "Look at status first: it says why a person is asked and what would be lost."
                            + " The approval holds for that loss; if more would be lost by then,"
                            + " you are asked again.",
            mixinStandardHelpOptions = true)
    static final class Approve extends Reply {
        @Override
        public Integer call() {
            return reply("approve");
        }
    }

    /** {@code reject PAIR}. */
    @Command(
            name = "reject",
            header = "Ends a waiting incident; nothing moves.",
            description =
                    "Nobody is asked again until home served once, or askAgainAfter has passed.",
            mixinStandardHelpOptions = true)
    static final class Reject extends Reply {
        @Override
        public Integer call() {
            return reply("reject");
        }
    }

    /** {@code failover PAIR}. */
    @Command(
            name = "failover",
            header = "Fails over because a person says so.",
            description =
                    "Opens an incident that records which gates it sets aside, and says so. Writes"
                            + " since the newest snapshot are lost; status says how much that is.",
            mixinStandardHelpOptions = true)
    static final class Failover extends Operation {
        @Option(names = "--yes", description = "Don't ask for the pair's name once more.")
        private boolean yes;

        @Override
        public Integer call() {
            ObjectNode event = explained("failover");
            if (!yes) {
                confirm();
            }
            return call("operate", event);
        }

        private void confirm() {
            Console console =
                    Optional.ofNullable(System.console())
                            .filter(Console::isTerminal)
                            .orElseThrow(
                                    () ->
                                            new Unusable(
                                                    "failover without --yes: expected a terminal"
                                                            + " to ask on"));
            String typed =
                    console.readLine(
                            "Clients of %s will go to its DR side, and writes since the newest"
                                    + " snapshot are lost. Type the pair's name to go on: ",
                            target.pair());
            if (!target.pair().equals(typed)) {
                throw new Unusable("not confirmed; nothing was done");
            }
        }
    }
}
