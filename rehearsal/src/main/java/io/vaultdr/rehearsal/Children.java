package io.vaultdr.rehearsal;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Every process of a rehearsal, none of which may outlive it, nor what they start. One small shell
 * reads from our pipe which processes there are; when the pipe ends, however this JVM came to its
 * end (a kill -9 included), it kills them and removes the scratch directory. It ignores what a
 * terminal sends to the whole process group on Ctrl-C.
 */
public final class Children implements AutoCloseable {
    /**
     * {@code + pid} adds a process and {@code - pid} forgets one that has ended, so that a process
     * id which the system gave to somebody else since isn't killed.
     */
    private static final String GUARD =
            """
            trap '' INT TERM HUP
            scratch=$1; all=' '
            while read -r sign pid; do
              case $sign in
                +) all="$all$pid " ;;
                -) all="${all%% $pid *} ${all#* $pid }" ;;
              esac
            done
            for pid in $all; do all="$all $(pgrep -P "$pid")"; done
            for pid in $all; do kill -9 "$pid" 2>/dev/null; done
            n=0
            until rm -rf -- "$scratch" 2>/dev/null || [ $n -ge 20 ]; do n=$((n + 1)); sleep 0.1; done
            """;

    private final Process guard;
    private final OutputStream pipe;
    private final Set<Process> running = ConcurrentHashMap.newKeySet();
    private boolean closed;

    /** Starts the guard; {@code scratch} is removed with everything in it at the end. */
    public Children(Path scratch) {
        try {
            guard =
                    new ProcessBuilder("/bin/sh", "-c", GUARD, "guard", scratch.toString())
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start();
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "can't start /bin/sh, which ends the rehearsal's processes", e);
        }
        pipe = guard.getOutputStream();
    }

    /**
     * Starts a process that ends with this JVM at the latest.
     *
     * @throws IOException as {@link ProcessBuilder#start}, or when the rehearsal is ending already
     */
    public synchronized Process start(ProcessBuilder builder) throws IOException {
        if (closed) {
            throw new IOException("the rehearsal is ending: " + builder.command().getFirst());
        }
        Process process = builder.start();
        running.add(process);
        tell("+ " + process.pid());
        var _ = process.onExit().thenAccept(this::ended);
        return process;
    }

    /** Kills {@code process} and what it has started, as a sandbox of Lambda's ends. */
    private static void kill(Process process) {
        List<ProcessHandle> started = process.descendants().toList();
        process.destroyForcibly();
        started.forEach(ProcessHandle::destroyForcibly);
    }

    /** The processes that are running now. */
    public List<Process> running() {
        return running.stream().filter(Process::isAlive).toList();
    }

    private synchronized void ended(Process process) {
        running.remove(process);
        if (!closed) {
            try {
                tell("- " + process.pid());
            } catch (IOException e) {
                // The guard has gone with its pipe; close() ends what is left by itself.
                guard.destroy();
            }
        }
    }

    private void tell(String line) throws IOException {
        pipe.write((line + "\n").getBytes(StandardCharsets.US_ASCII));
        pipe.flush();
    }

    /** Kills what is running, waits until it is gone and the scratch directory removed. */
    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        running.forEach(Children::kill);
        try {
            for (Process process : running) {
                process.waitFor(5, TimeUnit.SECONDS);
            }
            pipe.close();
            guard.waitFor(10, TimeUnit.SECONDS);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
