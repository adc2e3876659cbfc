package io.vaultdr.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A child process that ends with this JVM, even when the JVM is killed: a watcher beside it holds
 * the other end of a pipe and kills it when the pipe closes. Works wherever there is a POSIX shell.
 * Its process id is the server's own, so that signals reach the server itself.
 */
public final class ServerProcess implements AutoCloseable {
    /**
     * $$ stays the shell's id in the watcher and is the server's after exec. The watcher keeps
     * nothing of the server open, and outlives a Ctrl-C in the terminal.
     */
    private static final String WATCHED =
            "exec 3<&0; { trap '' INT HUP TERM; read -r end <&3; kill -9 $$; } >/dev/null 2>&1 &"
                    + " exec \"$@\" </dev/null 3<&-";

    private final Process process;
    private final Path log;

    private ServerProcess(Process process, Path log) {
        this.process = process;
        this.log = log;
    }

    /**
     * Starts {@code command} with both outputs appended to {@code log}.
     *
     * @param environment added to this JVM's own
     */
    public static ServerProcess start(
            List<String> command, Map<String, String> environment, Path log) {
        List<String> watched = new ArrayList<>(List.of("/bin/sh", "-c", WATCHED, "sh"));
        watched.addAll(command);
        ProcessBuilder builder = new ProcessBuilder(watched).redirectErrorStream(true);
        builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        builder.environment().putAll(environment);
        try {
            return new ServerProcess(builder.start(), log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The server's process id. */
    public long pid() {
        return process.pid();
    }

    /** Whether it runs. */
    public boolean alive() {
        return process.isAlive();
    }

    /** Ends it at once, as {@code kill -9} does, and waits until it is gone. */
    public void kill() {
        process.destroyForcibly();
        await(Duration.ofSeconds(10));
    }

    /** Asks it to end (SIGTERM), and kills it when it hasn't after {@code patience}. */
    public void stop(Duration patience) {
        process.destroy();
        if (!await(patience)) {
            kill();
        }
    }

    /** Sends it a signal, such as {@code STOP}, which it can't refuse. */
    public void signal(String name) {
        try {
            int status =
                    new ProcessBuilder("/bin/sh", "-c", "kill -" + name + " " + pid())
                            .inheritIO()
                            .start()
                            .waitFor();
            if (status != 0) {
                throw new AssertionError("kill -" + name + " " + pid() + ": status " + status);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** The last lines it wrote. */
    public String tail() {
        try {
            List<String> lines = Files.readAllLines(log);
            return String.join("\n", lines.subList(Math.max(0, lines.size() - 20), lines.size()));
        } catch (IOException e) {
            return "its log " + log + " can't be read: " + e;
        }
    }

    @Override
    public void close() {
        kill();
    }

    private boolean await(Duration limit) {
        try {
            return process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
