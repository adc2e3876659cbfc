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

import java.io.PrintWriter;
import java.util.Objects;
import java.util.concurrent.Callable;

/**
 * What people tell a pair, through its Control function: {@code status} by the alias {@code read},
 * the others by {@code operate}, so that IAM can tell them apart. CloudTrail proves who called;
 * {@code --by} is only what is shown.
 */
final class ControlCommands {
    /** Who asks and why. */
    static final class Asking {
        @Option(
                names = "--by",
                paramLabel = "NAME",
                description = "Who asks, as the incident shall show it. Default: ${DEFAULT-VALUE}")
        private String by = System.getProperty("user.name", "unknown");

        @Option(
                names = "--reason",
                paramLabel = "TEXT",
                required = true,
                description = "Why, for whoever reads the incident later.")
        private String reason = "";
    }

    private ControlCommands() {}

    /** Shared by all of them. */
    abstract static class Action implements Callable<Integer> {
        @Spec private @Nullable CommandSpec spec;
        @Mixin Target target = new Target();

        /** Calls {@code alias} with {@code action} and shows what it answers. */
        final int call(String alias, String action, @Nullable Asking asking, @Nullable Long epoch) {
            ObjectNode event = Json.MAPPER.createObjectNode().put("action", action);
            if (asking != null) {
                event.put("by", asking.by).put("reason", asking.reason);
            }
            if (epoch != null) {
                event.put("epoch", epoch);
            }
            JsonNode answer = target.function().invoke(alias, event, !action.equals("status"));
            PrintWriter out = out();
            if (target.json()) {
                out.println(answer);
            } else {
                out.print(Answer.text(answer));
            }
            out.flush();
            return answer.path("done").asBoolean(true) ? Exit.EXPECTED : Exit.NEGATIVE;
        }

        private PrintWriter out() {
            return Objects.requireNonNull(spec).commandLine().getOut();
        }
    }

    /** {@code status PAIR}. */
    @Command(
            name = "status",
            header = "Shows how a pair stands.",
            description = {
                "Serving side, incident, what each vantage says, diagnosis, gates and verdict."
                        + " Changes nothing.",
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
            return call("read", "status", null, null);
        }
    }

    /** {@code pause PAIR}. */
    @Command(
            name = "pause",
            header = "Stops a pair from failing over by itself, for maintenance.",
            description =
                    "Probing, evidence and diagnosis go on and are shown; nothing is opened until"
                            + " resume.",
            mixinStandardHelpOptions = true)
    static final class Pause extends Action {
        @Mixin private Asking asking = new Asking();

        @Override
        public Integer call() {
            return call("operate", "pause", asking, null);
        }
    }

    /** {@code resume PAIR}. */
    @Command(
            name = "resume",
            header = "Ends a pause.",
            description = "The next evaluation, within a minute, acts again.",
            mixinStandardHelpOptions = true)
    static final class Resume extends Action {
        @Mixin private Asking asking = new Asking();

        @Override
        public Integer call() {
            return call("operate", "resume", asking, null);
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
    static final class Approve extends Action {
        @Mixin private Asking asking = new Asking();

        @Option(
                names = "--incident",
                paramLabel = "EPOCH",
                required = true,
                description =
                        "The number behind the incident's name (payments-7: 7), so that an answer"
                                + " never meets another question.")
        private long epoch;

        @Override
        public Integer call() {
            return call("operate", "approve", asking, epoch);
        }
    }

    /** {@code reject PAIR}. */
    @Command(
            name = "reject",
            header = "Ends a waiting incident; nothing moves.",
            description =
                    "Nobody is asked again until home served once, or askAgainAfter has passed.",
            mixinStandardHelpOptions = true)
    static final class Reject extends Action {
        @Mixin private Asking asking = new Asking();

        @Option(
                names = "--incident",
                paramLabel = "EPOCH",
                required = true,
                description =
                        "The number behind the incident's name (payments-7: 7), so that an answer"
                                + " never meets another question.")
        private long epoch;

        @Override
        public Integer call() {
            return call("operate", "reject", asking, epoch);
        }
    }

    /** {@code failover PAIR}. */
    @Command(
            name = "failover",
            header = "Fails over because a person says so.",
            description =
                    "Opens an incident that records which gates you override. Writes since the"
                            + " newest snapshot are lost; status says how much that is.",
            mixinStandardHelpOptions = true)
    static final class Failover extends Action {
        @Mixin private Asking asking = new Asking();

        @Override
        public Integer call() {
            return call("operate", "failover", asking, null);
        }
    }
}
