package io.vaultdr.cli;

import io.vaultdr.rehearsal.Rehearse;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;

/** {@code rehearse}: plays a scenario on this machine. */
@Command(
        name = "rehearse",
        header = "Plays a disaster on this machine and shows how Vault goes on.",
        description = {
            "Five OpenBao servers serve, a blank one waits in the DR region; functions run from the"
                    + " zip that deploys, under the roles, alarms, schedules and state machine of"
                    + " the synthesised templates. Then something is killed. At the end: timeline,"
                    + " detection, recovery time per stage, acknowledged and lost writes.",
            "",
            "It needs no AWS account, and leaves no process behind."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:it went as the scenario expects",
            "1:it didn't, or couldn't be played",
            "2:no such scenario; nothing was started",
            "130:ended by Ctrl-C; all processes are ended"
        },
        mixinStandardHelpOptions = true)
final class RehearseCommand implements Callable<Integer> {
    @Parameters(
            paramLabel = "SCENARIO",
            arity = "0..1",
            description = "What happens; --list explains them. Default: region-loss")
    private @Nullable String scenario;

    @Option(
            names = "--fast",
            description =
                    "A slot of one second instead of ten, and with it all that is counted in"
                            + " slots; what is changed for it is listed.")
    private boolean fast;

    @Option(
            names = "--report",
            paramLabel = "DIR",
            description = "Where report.html and report.json go. Default: below .vault-dr")
    private @Nullable Path report;

    @Option(names = "--list", description = "Explain the scenarios and play none.")
    private boolean list;

    @Override
    public Integer call() {
        if (list) {
            Rehearse.list(System.out);
            return Exit.EXPECTED;
        }
        if (report != null && Files.exists(report) && !Files.isDirectory(report)) {
            throw new Unusable("--report " + report + ": a file, expected a folder to write to");
        }
        return Rehearse.run(
                new Rehearse.Options(
                        Path.of(System.getProperty("vaultdr.root", ".")),
                        scenario == null ? Rehearse.scenarios().getFirst() : scenario,
                        fast,
                        Optional.ofNullable(report),
                        Ansi.AUTO.enabled(),
                        Main.class),
                System.out);
    }
}
