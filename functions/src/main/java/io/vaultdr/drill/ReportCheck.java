package io.vaultdr.drill;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.runtime.Json;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The form in which reports are stored and signed, and whether one is what was signed. The
 * signature is over the bytes as they lie in the bucket, so that {@code openssl} checks them
 * without knowing JSON.
 */
public final class ReportCheck {
    private static final String SECTIONS = "sections";

    private ReportCheck() {}

    /** What checking a report came to. */
    public sealed interface Finding {
        /** The key signed exactly these bytes. */
        record Genuine() implements Finding {}

        /**
         * The key didn't sign these bytes.
         *
         * @param what what doesn't fit, a sentence each; where the report's own hashes all fit, the
         *     bytes around them, the signature or the key are not the ones
         */
        record Altered(List<String> what) implements Finding {}
    }

    /**
     * Checks a stored document.
     *
     * @param document the bytes as stored, of the JSON report or of the page made from it
     * @param signature in DER
     * @param key an EC key on P-256
     */
    public static Finding check(byte[] document, byte[] signature, PublicKey key) {
        return verifies(document, signature, key)
                ? new Finding.Genuine()
                : new Finding.Altered(altered(document));
    }

    private static boolean verifies(byte[] document, byte[] signature, PublicKey key) {
        try {
            Signature verifier = Signature.getInstance("SHA256withECDSA");
            verifier.initVerify(key);
            verifier.update(document);
            return verifier.verify(signature);
        } catch (SignatureException e) {
            // Not the form of a signature, so it is none of this document.
            return false;
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException("expected an EC public key on P-256", e);
        }
    }

    private static List<String> altered(byte[] document) {
        JsonNode report;
        try {
            report = Json.MAPPER.readTree(document);
        } catch (IOException e) {
            return List.of(
                    "it isn't the JSON report, whose sections tell what was changed: compare its"
                            + " JSON");
        }
        if (!report.path(SECTIONS).isObject()) {
            return List.of("the list of its sections' hashes isn't there");
        }
        List<String> what = new ArrayList<>();
        Map<String, String> actual = sections(report);
        report.path(SECTIONS)
                .properties()
                .forEach(
                        stated -> {
                            String now = actual.remove(stated.getKey());
                            if (now == null) {
                                what.add("'" + stated.getKey() + "' was taken out");
                            } else if (!now.equals(stated.getValue().asText())) {
                                what.add("'" + stated.getKey() + "' was changed");
                            }
                        });
        actual.keySet().forEach(added -> what.add("'" + added + "' was put in"));
        if (what.isEmpty()) {
            what.add(
                    "every section fits its own hash: either hash and section were changed"
                            + " together, or white space, or the signature or the key is another"
                            + " report's");
        }
        return List.copyOf(what);
    }

    /** {@code value} with sorted keys. */
    static JsonNode canonical(Object value) {
        return sorted(Json.MAPPER.valueToTree(value));
    }

    /** The bytes in which a report is stored: sorted keys, indented, a line feed at the end. */
    static byte[] bytes(JsonNode canonical) {
        return (canonical.toPrettyString().replace("\r\n", "\n") + "\n")
                .getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Field → hash of its value as compact JSON with sorted keys; all but the hashes' own field.
     */
    static Map<String, String> sections(JsonNode report) {
        Map<String, String> hashes = new TreeMap<>();
        report.properties().stream()
                .filter(field -> !field.getKey().equals(SECTIONS))
                .forEach(
                        field ->
                                hashes.put(
                                        field.getKey(),
                                        HexFormat.of()
                                                .formatHex(sha256(compact(field.getValue())))));
        return hashes;
    }

    /** The SHA-256 of {@code bytes}. */
    static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every runtime has SHA-256", e);
        }
    }

    private static byte[] compact(JsonNode value) {
        try {
            return Json.MAPPER.writeValueAsBytes(sorted(value));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree always becomes JSON", e);
        }
    }

    private static JsonNode sorted(JsonNode node) {
        if (node.isObject()) {
            Map<String, JsonNode> fields = new TreeMap<>();
            node.properties()
                    .forEach(field -> fields.put(field.getKey(), sorted(field.getValue())));
            ObjectNode object = Json.MAPPER.createObjectNode();
            fields.forEach(object::set);
            return object;
        }
        if (node.isArray()) {
            ArrayNode array = Json.MAPPER.createArrayNode();
            node.forEach(element -> array.add(sorted(element)));
            return array;
        }
        return node;
    }
}
