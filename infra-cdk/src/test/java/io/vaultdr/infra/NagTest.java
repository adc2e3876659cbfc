package io.vaultdr.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * AWS Solutions' rules, over every stack of every example. What they found is read from the
 * assembly, since CDK's own assertion on annotations synthesises everything once more per stack.
 */
class NagTest {
    private static final Set<String> FOUND = Set.of("aws:cdk:error", "aws:cdk:warning");

    private static final String HEAD =
            "Rule ID,Resource ID,Compliance,Exception Reason,Rule Level,Rule Info\n";

    /** What no rule is about; the report of a stack of nothing else is its head. */
    private static final Set<String> WITHOUT_RULES =
            Set.of(
                    "AWS::CloudWatch::Alarm",
                    "AWS::CloudWatch::Dashboard",
                    "AWS::Route53::HealthCheck",
                    "AWS::Route53::RecordSet");

    @ParameterizedTest
    @MethodSource("io.vaultdr.infra.Examples#names")
    void findsNothingThatIsNotExplainedAtItsResource(String example) throws IOException {
        findsNothing(Synthesised.example(example));
    }

    @Test
    void findsNothingWhereTheCopyStandsInAnotherAccount() throws IOException {
        findsNothing(Synthesised.apart());
    }

    private static void findsNothing(Synthesised all) throws IOException {
        Path outdir = all.outdir();
        for (var synthesised : all.templates().entrySet()) {
            String stack = synthesised.getKey();
            List<String> found = new ArrayList<>();
            for (var path :
                    Synthesised.JSON
                            .readTree(outdir.resolve(stack + ".metadata.json").toFile())
                            .properties()) {
                for (JsonNode entry : path.getValue()) {
                    if (FOUND.contains(entry.get("type").asText())) {
                        found.add(path.getKey() + ": " + entry.get("data"));
                    }
                }
            }
            assertEquals(List.of(), found);
            String report =
                    Files.readString(outdir.resolve("AwsSolutions-" + stack + "-NagReport.csv"));
            // The pack writes the head when it comes by, also where no rule has anything to say.
            assertTrue(report.startsWith(HEAD), stack + ": the rules did not come by");
            assertTrue(
                    report.contains("\"Compliant\"") || !ruled(synthesised.getValue()),
                    stack + ": the rules did not run");
            assertTrue(!report.contains("Non-Compliant"), report);
        }
    }

    private static boolean ruled(JsonNode template) {
        for (JsonNode resource : template.get("Resources")) {
            if (!WITHOUT_RULES.contains(resource.get("Type").asText())) {
                return true;
            }
        }
        return false;
    }
}
