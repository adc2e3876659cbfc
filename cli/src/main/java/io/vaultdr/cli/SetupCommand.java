package io.vaultdr.cli;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.PairSettingsMaker;
import io.vaultdr.infra.setup.SetupScript;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;

/** {@code setup PAIR}: the script that prepares a cluster. */
@Command(
        name = "setup",
        header = "Prints the script that prepares a pair's cluster.",
        description = {
            "Policies, AppRoles and the canary's mount, and the logins' way into Secrets Manager of"
                    + " each region. Nothing is sent anywhere: read it, then run it with a token of"
                    + " yours. It can be run again at any time.",
            "",
            "vault-dr setup payments --config vault-dr.yaml > setup.sh"
        },
        mixinStandardHelpOptions = true)
final class SetupCommand implements Callable<Integer> {
    /** The script names no account; pairs without one in their configuration get this. */
    private static final String ANY_ACCOUNT = "000000000000";

    @Spec private @Nullable CommandSpec spec;

    @Parameters(paramLabel = "PAIR", description = "The pair's name in the configuration.")
    private String pair = "";

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "The configuration. Default: ${DEFAULT-VALUE}")
    private Path config = Path.of("vault-dr.yaml");

    @Override
    public Integer call() {
        Configuration.Found found = Configuration.pair(config, pair);
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        Config known = found.config().inAccount(ANY_ACCOUNT);
        out.print(
                SetupScript.of(
                        PairSettingsMaker.settings(known, found.pair(), ""),
                        found.pair().proving().map(Config.Prove::recover).orElse(List.of()),
                        PairSettingsMaker.names(known, found.pair())::roleArn));
        out.flush();
        return Exit.EXPECTED;
    }
}
