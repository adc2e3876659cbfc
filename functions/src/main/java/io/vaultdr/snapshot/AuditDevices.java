package io.vaultdr.snapshot;

import io.vaultdr.vault.VaultClient.AuditDevice;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Which audit devices a restored server can work with. A server that has devices and can open none
 * of them takes a restore, answers 204, and then doesn't come up; one that can open at least one
 * does. So what helps is a second device that works on any machine.
 *
 * @see <a href="https://openbao.org/docs/audit/">Audit devices</a>
 */
public final class AuditDevices {
    /** Work on any machine, for a server of any user. */
    private static final Set<String> ANYWHERE =
            Set.of("stdout", "discard", "/dev/stdout", "/dev/stderr", "/dev/null");

    private static final String REMEDY =
            "enable a second device that works anywhere, such as one to the server's own log (audit"
                    + " enable -path=stdout file file_path=stdout, or an audit block in its"
                    + " configuration)";

    private AuditDevices() {}

    /** What a manifest says of {@code devices}: a file's path, otherwise the type and a colon. */
    public static List<String> needs(Collection<AuditDevice> devices) {
        return devices.stream()
                .map(device -> device.filePath().orElse(device.type() + ":"))
                .sorted()
                .toList();
    }

    /**
     * Why a server restored from a snapshot may not come up on a machine that isn't one of the old
     * ones; empty where it does.
     *
     * @param needs as {@link Manifest.RestoreNeeds#auditPaths}
     */
    public static Optional<String> warning(List<String> needs) {
        return blocked(needs, file -> file.startsWith("/tmp"))
                .map(
                        which ->
                                "a restored server stops unless it can open one of its audit"
                                        + " devices, and each of them wants something of its"
                                        + " machine ("
                                        + which
                                        + "): "
                                        + REMEDY);
    }

    /** Why a server can't come up in this process's own sandbox; empty where it can. */
    static Optional<String> impossibleHere(List<String> needs) {
        return blocked(needs, AuditDevices::writable)
                .map(
                        which ->
                                "none of the cluster's audit devices ("
                                        + which
                                        + ") works in this function, and a server without any"
                                        + " doesn't start; "
                                        + REMEDY);
    }

    private static Optional<String> blocked(List<String> needs, Predicate<Path> writable) {
        boolean works =
                needs.isEmpty()
                        || needs.stream()
                                .anyMatch(
                                        need ->
                                                ANYWHERE.contains(need)
                                                        || (need.startsWith("/")
                                                                && writable.test(Path.of(need))));
        return works ? Optional.empty() : Optional.of(String.join(", ", needs));
    }

    /** Whether the file can be written, or made with all directories that it lacks. */
    private static boolean writable(Path file) {
        if (Files.exists(file)) {
            return Files.isRegularFile(file) && Files.isWritable(file);
        }
        Path directory = file;
        while (directory.getParent() != null && !Files.exists(directory)) {
            directory = directory.getParent();
        }
        // The kernel's own file systems say that root may write, and then refuse.
        return Files.isDirectory(directory)
                && Files.isWritable(directory)
                && !directory.startsWith("/proc")
                && !directory.startsWith("/sys");
    }
}
