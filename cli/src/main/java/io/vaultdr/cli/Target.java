package io.vaultdr.cli;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Which pair's Control function is meant. */
final class Target {
    @Parameters(paramLabel = "PAIR", description = "The pair's name in the configuration.")
    private String pair = "";

    @Option(
            names = "--function",
            paramLabel = "NAME",
            description = "The Control function, where it isn't vault-dr-PAIR-control.")
    private @Nullable String function;

    @Option(
            names = "--region",
            paramLabel = "REGION",
            description = "The pair's DR region, where its Control function is.")
    private @Nullable String region;

    @Option(names = "--json", description = "Print the function's answer as it is, one line.")
    private boolean json;

    ControlFunction function() {
        if (region == null) {
            throw new Unusable("no region: expected --region with the pair's DR region");
        }
        return new ControlFunction(
                function == null ? "vault-dr-" + pair + "-control" : function, region);
    }

    String pair() {
        return pair;
    }

    boolean json() {
        return json;
    }
}
