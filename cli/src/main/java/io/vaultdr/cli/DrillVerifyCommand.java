package io.vaultdr.cli;

import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.aws.KmsSigner;
import io.vaultdr.drill.ReportCheck;
import io.vaultdr.runtime.Json;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import software.amazon.awssdk.arns.Arn;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;

/** {@code drill verify FILE}: whether a report is what was signed. */
@Command(
        name = "verify",
        header = "Checks whether a drill's report is what was signed.",
        description = {
            "FILE is report.json or report.html as it lay in the drill bucket, with its signature"
                    + " beside it as FILE.sig. With --public-key nothing is called.",
            "",
            "The same with openssl:",
            "openssl dgst -sha256 -verify public.pem -signature report.json.sig report.json"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:the key signed exactly this",
            "1:it didn't; what was altered is told",
            "2:no such file, signature or key",
            "3:KMS didn't tell the public key"
        },
        mixinStandardHelpOptions = true)
final class DrillVerifyCommand implements Callable<Integer> {
    @Spec private @Nullable CommandSpec spec;

    @Parameters(paramLabel = "FILE", description = "The report.")
    private Path file = Path.of("");

    @Option(
            names = "--signature",
            paramLabel = "FILE",
            description = "Its signature in DER. Default: the report's name and .sig")
    private @Nullable Path signature;

    @ArgGroup private @Nullable Key key;

    /** One of the two. */
    static final class Key {
        @Option(
                names = "--key",
                paramLabel = "ARN",
                description =
                        "The KMS key that must have signed it. Default: the one that the report"
                                + " names, which whoever forges a report chooses")
        private @Nullable String arn;

        @Option(
                names = "--public-key",
                paramLabel = "FILE",
                description = "The public key, PEM or DER; nothing is called then.")
        private @Nullable Path file;
    }

    @Override
    public Integer call() {
        byte[] document = bytes(file, "a drill's report");
        Path beside = signature != null ? signature : Path.of(file + ".sig");
        byte[] signed = bytes(beside, "the report's signature");
        String named = named(document);
        boolean chosen = key != null;
        ReportCheck.Finding finding =
                ReportCheck.check(document, signed, chosen ? given(key) : ofKms(named));
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        switch (finding) {
            case ReportCheck.Finding.Genuine() -> {
                out.println("genuine  " + file);
                if (!chosen) {
                    out.println(
                            "  signed by "
                                    + named
                                    + ", as it says itself: make sure that this key is yours");
                }
            }
            case ReportCheck.Finding.Altered(List<String> what) -> {
                out.println("altered  " + file);
                what.forEach(one -> out.println("  " + one));
            }
        }
        out.flush();
        return finding instanceof ReportCheck.Finding.Genuine ? Exit.EXPECTED : Exit.NEGATIVE;
    }

    private static PublicKey given(@Nullable Key key) {
        Key one = Objects.requireNonNull(key);
        return one.file == null
                ? ofKms(Objects.requireNonNull(one.arn))
                : publicKey(bytes(one.file, "a public key"), one.file.toString());
    }

    private static PublicKey ofKms(String arn) {
        String region;
        try {
            region = Arn.fromString(arn).region().orElse("");
        } catch (IllegalArgumentException e) {
            region = "";
        }
        if (region.isEmpty()) {
            throw new Unusable(
                    "key '" + arn + "': expected a KMS key's ARN with --key, or --public-key FILE");
        }
        return publicKey(new KmsSigner(Account.clients().kms(region), arn).publicKey(), arn);
    }

    private static PublicKey publicKey(byte[] bytes, String where) {
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        try {
            byte[] der =
                    text.startsWith("-----BEGIN PUBLIC KEY-----")
                            ? Base64.getMimeDecoder()
                                    .decode(text.replaceAll("-----[A-Z ]+-----", "").strip())
                            : bytes;
            return KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(der));
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new Unusable(
                    where + ": expected an EC public key, PEM (BEGIN PUBLIC KEY) or DER");
        }
    }

    /** The key that the report names; nothing where it isn't the JSON. */
    private static String named(byte[] document) {
        try {
            JsonNode report = Json.MAPPER.readTree(document);
            return report.path("signingKey").asText();
        } catch (IOException e) {
            return "";
        }
    }

    private static byte[] bytes(Path file, String what) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new Unusable(file + ": can't be read, expected " + what);
        }
    }
}
