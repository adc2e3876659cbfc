package io.vaultdr.infra.watch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The files in docs/prometheus. */
final class Prometheus {
    static final Path ROOT = Path.of(System.getProperty("vaultdr.root", ".."));

    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());
    private static final Pattern METRIC = Pattern.compile("\\bvault_(?!cluster\\b)[A-Za-z_]+");

    private Prometheus() {}

    static JsonNode yaml(String file) {
        try {
            return YAML.readTree(ROOT.resolve("docs/prometheus").resolve(file).toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(file, e);
        }
    }

    /** Every metric that an alert asks for. */
    static Set<String> metrics() {
        Set<String> metrics = new TreeSet<>();
        for (JsonNode group : yaml("alerts.yaml").get("groups")) {
            for (JsonNode rule : group.get("rules")) {
                Matcher metric = METRIC.matcher(rule.get("expr").asText());
                while (metric.find()) {
                    metrics.add(metric.group());
                }
            }
        }
        return metrics;
    }
}
