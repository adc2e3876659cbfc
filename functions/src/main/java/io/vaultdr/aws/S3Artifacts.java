package io.vaultdr.aws;

import io.vaultdr.model.Failure;
import io.vaultdr.runtime.ProofSettings;
import io.vaultdr.snapshot.Artifacts;

import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;

/**
 * Programs from S3, kept in scratch space from one invocation to the next. One that is there is
 * hashed again, unless it is the very file (identity, length, time) that this process has hashed.
 */
public final class S3Artifacts implements Artifacts {
    private final S3Client s3;
    private final Path directory;
    private final Map<Path, Seen> hashed = new HashMap<>();

    private record Seen(Optional<Object> identity, long bytes, FileTime changed) {
        static Seen of(Path file) throws IOException {
            var is = Files.readAttributes(file, java.nio.file.attribute.BasicFileAttributes.class);
            return new Seen(Optional.ofNullable(is.fileKey()), is.size(), is.lastModifiedTime());
        }
    }

    /** Programs that {@code s3} has, kept in {@code directory}. */
    public S3Artifacts(S3Client s3, Path directory) {
        this.s3 = s3;
        this.directory = directory;
    }

    @Override
    public synchronized Fetched fetch(ProofSettings.Artifact artifact) {
        Path program = directory.resolve(artifact.sha256());
        try {
            Files.createDirectories(
                    directory,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rwx------")));
            if (Files.exists(program) && hash(program).equals(artifact.sha256())) {
                return new Fetched.At(program);
            }
            Path part = directory.resolve(artifact.sha256() + ".part");
            Files.deleteIfExists(part);
            Optional<String> read = load(artifact, part);
            if (read.isEmpty()) {
                return new Fetched.Missing();
            }
            if (!read.get().equals(artifact.sha256())) {
                Files.delete(part);
                return new Fetched.Differs(read.get());
            }
            Files.setPosixFilePermissions(part, PosixFilePermissions.fromString("rwx------"));
            Files.move(part, program, StandardCopyOption.ATOMIC_MOVE);
            hashed.put(program, Seen.of(program));
            return new Fetched.At(program);
        } catch (IOException e) {
            throw new Failure.Retryable(
                    "fetch " + artifact.key() + " into " + directory,
                    e.toString(),
                    "Scratch space must be writable and have room for it",
                    e);
        }
    }

    private String hash(Path program) throws IOException {
        Seen now = Seen.of(program);
        if (!now.equals(hashed.get(program))) {
            try (InputStream in = Files.newInputStream(program)) {
                String sha256 = copied(in, OutputStream.nullOutputStream());
                if (!sha256.equals(program.getFileName().toString())) {
                    return sha256;
                }
            }
            hashed.put(program, now);
        }
        return program.getFileName().toString();
    }

    private Optional<String> load(ProofSettings.Artifact artifact, Path file) throws IOException {
        try (InputStream in =
                        AwsCalls.read(
                                "read s3://" + artifact.bucket() + "/" + artifact.key(),
                                () -> stored(artifact));
                OutputStream out = Files.newOutputStream(file)) {
            return Optional.of(copied(in, out));
        } catch (Absent e) {
            return Optional.empty();
        }
    }

    private InputStream stored(ProofSettings.Artifact artifact) {
        try {
            return s3.getObject(get -> get.bucket(artifact.bucket()).key(artifact.key()));
        } catch (NoSuchKeyException e) {
            throw new Absent();
        }
    }

    /** Not an SDK failure any more, so that it passes {@link AwsCalls}. */
    private static final class Absent extends RuntimeException {
        Absent() {
            super(null, null, false, false);
        }
    }

    private static String copied(InputStream in, OutputStream out) throws IOException {
        try {
            MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
            byte[] block = new byte[1 << 20];
            DigestInputStream hashing = new DigestInputStream(in, sha256);
            for (int count = hashing.read(block); count >= 0; count = hashing.read(block)) {
                out.write(block, 0, count);
            }
            return HexFormat.of().formatHex(sha256.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java runtime has SHA-256", e);
        }
    }
}
