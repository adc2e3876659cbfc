package io.vaultdr.snapshot;

import io.vaultdr.model.Failure;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** A snapshot's archive as a file, fetched and checked in one pass. */
public final class ArchiveFile {
    private ArchiveFile() {}

    /**
     * Fetches an archive to {@code file}, unless it lies there already, checked again.
     *
     * @return what is wrong with the archive; nothing, when it lies sound at {@code file}
     * @throws Failure.Retryable when bucket or disk don't let it be fetched
     */
    public static Optional<String> fetch(Catalog catalog, Manifest snapshot, Path file) {
        try {
            if (Files.exists(file) && wrong(snapshot, checked(file)).isEmpty()) {
                return Optional.empty();
            }
            Optional<String> wrong;
            if (!(catalog.find(snapshot) instanceof Catalog.Found.Here(InputStream bytes))) {
                return Optional.of("the bucket hasn't its archive, or not to be read at once");
            }
            try (InputStream in = bytes;
                    OutputStream out = Files.newOutputStream(file)) {
                wrong = wrong(snapshot, Archive.check(new Copying(in, out)));
            }
            if (wrong.isPresent()) {
                Files.deleteIfExists(file);
            }
            return wrong;
        } catch (IOException e) {
            throw new Failure.Retryable(
                    "fetch snapshot " + snapshot.id() + " from " + catalog.region(),
                    e.getClass().getSimpleName() + ": " + e.getMessage(),
                    "It is fetched again",
                    e);
        }
    }

    private static Archive checked(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return Archive.check(in);
        }
    }

    private static Optional<String> wrong(Manifest snapshot, Archive archive) {
        return switch (archive) {
            case Archive.Bad bad -> Optional.of(bad.reason() + " at byte " + bad.offset());
            case Archive.Sound sound when !sound.sha256().equals(snapshot.sha256()) ->
                    Optional.of("sha256 " + sound.sha256() + ", the manifest says another");
            case Archive.Sound _ -> Optional.empty();
        };
    }

    /** Writes down what is read from it, so that checking and fetching are one pass. */
    private static final class Copying extends FilterInputStream {
        private final OutputStream copy;

        Copying(InputStream in, OutputStream copy) {
            super(in);
            this.copy = copy;
        }

        @Override
        public int read() throws IOException {
            int value = super.read();
            if (value >= 0) {
                copy.write(value);
            }
            return value;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            int count = super.read(buffer, offset, length);
            if (count > 0) {
                copy.write(buffer, offset, count);
            }
            return count;
        }
    }
}
