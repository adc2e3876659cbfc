package io.vaultdr.infra.construct;

import software.amazon.awscdk.services.ssm.CfnDocument;
import software.constructs.Construct;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Makes an SSM document that runs a script on servers. Each may be sent twice: the second time
 * leaves things as they are.
 */
public final class ServerDocument {
    private ServerDocument() {}

    /** Restarts the server, and fails unless it runs afterwards. */
    public static void restart(Construct scope, String name, String unit) {
        document(
                scope,
                "Restart",
                name,
                "Restarts the server of a restored node",
                List.of("systemctl restart " + unit, "systemctl is-active " + unit));
    }

    /** Empties the data directory of a node and starts it blank. */
    public static void wipe(Construct scope, String name, String unit, String dataDirectory) {
        document(
                scope,
                "Wipe",
                name,
                "Wipes a half-restored node and starts it blank",
                List.of(
                        "systemctl stop " + unit,
                        "find " + dataDirectory + " -mindepth 1 -delete",
                        "systemctl start " + unit,
                        "systemctl is-active " + unit));
    }

    /** Stops the server, and fails if it still runs. */
    public static void stop(Construct scope, String name, String unit) {
        document(
                scope,
                "Stop",
                name,
                "Stops the server of the side that no longer serves; systemctl start undoes it",
                List.of(
                        "systemctl stop " + unit,
                        "if systemctl is-active --quiet " + unit + "; then",
                        "  echo \"" + unit + " still runs\" >&2",
                        "  exit 1",
                        "fi",
                        "echo \"" + unit + " stopped\""));
    }

    private static void document(
            Construct scope, String id, String name, String description, List<String> script) {
        List<String> commands = new ArrayList<>(List.of("set -eu"));
        commands.addAll(script);
        CfnDocument.Builder.create(scope, id)
                .name(name)
                .documentType("Command")
                .documentFormat("JSON")
                .targetType("/AWS::EC2::Instance")
                // A document with a name can't be replaced, only get a new version.
                .updateMethod("NewVersion")
                .content(
                        sorted(
                                Map.of(
                                        "schemaVersion",
                                        "2.2",
                                        "description",
                                        description,
                                        "mainSteps",
                                        List.of(
                                                sorted(
                                                        Map.of(
                                                                "action",
                                                                "aws:runShellScript",
                                                                "name",
                                                                "run",
                                                                "inputs",
                                                                sorted(
                                                                        Map.of(
                                                                                "timeoutSeconds",
                                                                                "60",
                                                                                "runCommand",
                                                                                commands))))))))
                .build();
    }

    /** The same in the same order at every synthesis, or each would make a new version. */
    private static Map<String, Object> sorted(Map<String, Object> map) {
        return new TreeMap<>(map);
    }
}
