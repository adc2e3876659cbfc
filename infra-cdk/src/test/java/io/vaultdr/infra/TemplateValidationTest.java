package io.vaultdr.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import software.amazon.awscdk.App;
import software.amazon.awscdk.CloudFormationValidatePlugin;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.Validations;
import software.amazon.awscdk.services.sqs.CfnQueue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * What CDK itself has to say of the templates when {@code cdk deploy} synthesises them, with the
 * rules of cfn-lint, on the example that {@link CfnLintIT} leaves out. Other tests synthesise
 * without, for it is most of the time.
 */
class TemplateValidationTest {
    @TempDir private Path directory;

    @Test
    void findsNothing() throws IOException {
        App app = VaultDrApp.app(directory.resolve("cdk.out"), false);
        VaultDrApp.stacks(app, Examples.load("pilot-light"), Examples.zip(directory));
        assertEquals(List.of(), found(app));
    }

    @Test
    void wouldFindAWrongProperty() throws IOException {
        App app = VaultDrApp.app(directory.resolve("cdk.out"), false);
        CfnQueue queue = new CfnQueue(new Stack(app, "wrong"), "queue");
        queue.addPropertyOverride("VisibilityTimeout", "soon");
        List<String> found = found(app);
        assertEquals(1, found.size(), found::toString);
        assertTrue(found.getFirst().contains("'soon' is not of type 'integer'"), found::toString);
    }

    /** What nobody has acknowledged with a reason. */
    private static List<String> found(App app) throws IOException {
        Validations.of(app).addPlugins(CloudFormationValidatePlugin.Builder.create().build());
        JsonNode report =
                Synthesised.JSON.readTree(
                        Path.of(app.synth().getDirectory(), "validation-report.json").toFile());
        return report.findValues("violations").stream()
                .flatMap(violations -> violations.valueStream().map(JsonNode::toString))
                .toList();
    }
}
