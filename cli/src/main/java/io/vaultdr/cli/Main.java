package io.vaultdr.cli;

import io.vaultdr.model.Failure;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;

import java.io.PrintWriter;

/** The command line {@code ./vault-dr}. */
@Command(
        name = "vault-dr",
        version = "vault-dr 0.1.0",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        header = "Proven backups and fenced regional failover for Vault and OpenBao on AWS.",
        description = {
            "",
            "Begin with @|bold vault-dr rehearse|@: it starts five real servers on this machine,"
                    + " kills their region and shows how Vault goes on. It needs no AWS account.",
            ""
        },
        exitCodeListHeading = "%nExit codes, of all commands:%n",
        exitCodeList = {
            "0:as expected; what was checked is good",
            "1:carried out, and the answer is no: a bad archive, a refusal, another end than"
                    + " expected",
            "2:the call can't be used; nothing was done",
            "3:AWS or a server didn't do it, or didn't say whether it did",
            "130:ended by Ctrl-C"
        },
        footer = {
            "",
            "vault-dr COMMAND --help tells more about a command.",
            "synth and deploy are the CDK's own: see 'Deploy' in README.md."
        },
        subcommands = {
            RehearseCommand.class,
            SnapshotCommand.class,
            SnapshotsCommand.class,
            RetentionCommand.class,
            DrillCommand.class,
            RestoreCommand.class,
            ConfigCommand.class,
            SetupCommand.class,
            DoctorCommand.class,
            InvokeCommand.class,
            ControlCommands.Status.class,
            ControlCommands.Pause.class,
            ControlCommands.Resume.class,
            ControlCommands.Approve.class,
            ControlCommands.Reject.class,
            ControlCommands.Failover.class
        })
public final class Main {
    private Main() {}

    /** Runs the command line and ends the process with one of the codes of {@link Exit}. */
    public static void main(String... arguments) {
        PrintWriter out = new PrintWriter(System.out, true, System.out.charset());
        PrintWriter err = new PrintWriter(System.err, true, System.err.charset());
        System.exit(commandLine(out, err).execute(arguments));
    }

    /** The command line, writing to {@code out} and {@code err}. */
    static CommandLine commandLine(PrintWriter out, PrintWriter err) {
        CommandLine line = new CommandLine(new Main()).setOut(out).setErr(err);
        return line.setUsageHelpAutoWidth(true)
                .setParameterExceptionHandler(Main::unusable)
                .setExecutionExceptionHandler(Main::failed);
    }

    private static int unusable(ParameterException e, String[] arguments) {
        CommandLine command = e.getCommandLine();
        command.getErr().println("vault-dr: " + e.getMessage());
        command.getErr().println("Try: " + command.getCommandSpec().qualifiedName() + " --help");
        return Exit.UNUSABLE;
    }

    private static int failed(Exception e, CommandLine command, CommandLine.ParseResult parsed) {
        PrintWriter err = command.getErr();
        if (e instanceof Unusable) {
            err.println("vault-dr: " + e.getMessage());
            return Exit.UNUSABLE;
        }
        if (e instanceof Failure) {
            err.println("vault-dr: " + e.getMessage());
            return Exit.FAILED;
        }
        err.println("vault-dr: a mistake in vault-dr itself; please report it:");
        e.printStackTrace(err);
        return Exit.FAILED;
    }
}
