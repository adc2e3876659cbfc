package io.vaultdr.cli;

import io.vaultdr.runtime.Json;
import io.vaultdr.snapshot.Archive;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/** {@code snapshot check}: what TakeSnapshot checks, on a file. */
@Command(
        name = "snapshot",
        header = "Checks snapshot archives.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true)
final class SnapshotCommand {
    @Spec private @Nullable CommandSpec spec;

    @Command(
            name = "check",
            header = "Checks an archive and prints what it is.",
            description = {
                "One pass, in memory that doesn't depend on the size. A server restores archives"
                        + " that lack their last bytes or carry a wrong checksum; this finds them:"
                        + " gzip with its trailer and nothing behind it, exactly the four members,"
                        + " hashes, lengths, and a sealed sum that isn't empty.",
                "",
                "From a bucket: aws s3 cp s3://BUCKET/KEY - | vault-dr snapshot check -"
            },
            exitCodeListHeading = "%nExit codes:%n",
            exitCodeList = {
                "0:nothing is wrong with it",
                "1:it is bad; the reason and the offset are told",
                "2:no such file, or not to be read"
            },
            mixinStandardHelpOptions = true)
    int check(
            @Parameters(paramLabel = "FILE|-", description = "The archive; - reads standard input.")
                    String file,
            @Option(names = "--json", description = "Print what was found as JSON, one line.")
                    boolean json)
            throws IOException {
        Archive archive;
        try (InputStream in = file.equals("-") ? System.in : Files.newInputStream(readable(file))) {
            archive = Archive.check(in);
        } catch (IOException e) {
            throw new Unusable(file + ": can't be read: " + e.getMessage());
        }
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        switch (archive) {
            case Archive.Sound sound when json ->
                    out.println(Json.MAPPER.writeValueAsString(Map.of("good", sound)));
            case Archive.Bad bad when json ->
                    out.println(Json.MAPPER.writeValueAsString(Map.of("bad", bad)));
            case Archive.Sound sound -> print(out, file, sound);
            case Archive.Bad bad ->
                    out.printf(
                            Locale.ROOT,
                            "bad    %s%n  reason  %s%n  offset  %,d%n  found   %s%n",
                            file,
                            bad.reason().name().toLowerCase(Locale.ROOT).replace('_', ' '),
                            bad.offset(),
                            bad.detail());
        }
        out.flush();
        return archive instanceof Archive.Sound ? Exit.EXPECTED : Exit.NEGATIVE;
    }

    private static Path readable(String file) {
        Path path = Path.of(file);
        if (!Files.exists(path)) {
            throw new Unusable(
                    file + ": no such file; expected a snapshot archive, or - for standard input");
        }
        if (Files.isDirectory(path)) {
            throw new Unusable(file + ": a folder; expected a snapshot archive");
        }
        return path;
    }

    private static void print(PrintWriter out, String file, Archive.Sound sound) {
        out.printf(Locale.ROOT, "good   %s%n", file);
        out.printf(Locale.ROOT, "  index        %d%n", sound.index());
        out.printf(Locale.ROOT, "  term         %d%n", sound.term());
        out.printf(
                Locale.ROOT,
                "  archive      %,d bytes, sha256 %s%n",
                sound.bytes(),
                sound.sha256());
        out.printf(Locale.ROOT, "  state        %,d bytes%n", sound.stateBytes());
        out.printf(
                Locale.ROOT,
                "  compression  %s%n",
                switch (sound.compression()) {
                    case STORED -> "none (stored gzip, as OpenBao writes from 2.6 on)";
                    case DEFLATED -> "deflate (as Vault writes, and OpenBao before 2.6)";
                });
        out.printf(Locale.ROOT, "  members      %s%n", String.join(", ", sound.members()));
        sound.servers()
                .forEach(
                        server ->
                                out.printf(
                                        Locale.ROOT,
                                        "  server       %s  %s  %s%n",
                                        server.id(),
                                        server.address(),
                                        server.suffrage().toLowerCase(Locale.ROOT)));
    }
}
