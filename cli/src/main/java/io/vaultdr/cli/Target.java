package io.vaultdr.cli;

import io.vaultdr.infra.config.Config;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.nio.file.Path;

/** Which pair's Control function is meant. */
final class Target {
    @Parameters(paramLabel = "PAIR", description = "The pair's name in the configuration.")
    private String pair = "";

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description =
                    "The configuration, which tells function and region. Default: ${DEFAULT-VALUE}")
    private Path config = Path.of("vault-dr.yaml");

    @Option(
            names = "--function",
            paramLabel = "NAME",
            description = "The Control function, without a configuration. Wants --region.")
    private @Nullable String function;

    @Option(
            names = "--region",
            paramLabel = "REGION",
            description =
                    "The pair's DR region, without a configuration; the function is then"
                            + " vault-dr-PAIR-control unless --function says otherwise.")
    private @Nullable String region;

    @Option(names = "--json", description = "Print the function's answer as it is, one line.")
    private boolean json;

    ControlFunction function() {
        if (region != null) {
            return new ControlFunction(
                    function == null ? "vault-dr-" + pair + "-control" : function, region);
        }
        if (function != null) {
            throw new Unusable("--function without --region: expected the pair's DR region too");
        }
        Configuration.Found found = Configuration.pair(config, pair);
        if (!found.pair().probed()) {
            throw new Unusable(
                    pair
                            + ": stage "
                            + ConfigCommand.word(found.pair().stage())
                            + " has no Control function, expected observe or higher;"
                            + " 'config check' tells what that wants");
        }
        Config.Cluster dr = found.pair().drCluster();
        return new ControlFunction(found.config().prefix() + "-" + pair + "-control", dr.region());
    }

    String pair() {
        return pair;
    }

    boolean json() {
        return json;
    }
}
