package io.vaultdr.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.Cost;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

class CostTest {
    private static final Pattern COUNT = Pattern.compile("^([0-9]+) ");

    @ParameterizedTest
    @MethodSource("io.vaultdr.infra.Examples#names")
    void countsTheAlarmsThatTheTemplatesHave(String example) {
        counts(Synthesised.example(example), Examples.load(example));
    }

    @Test
    void countsThoseOfBothAccounts() {
        counts(Synthesised.apart(), Examples.apart());
    }

    private static void counts(Synthesised all, Config config) {
        int alarms =
                all.templates().keySet().stream()
                        .mapToInt(stack -> all.resources(stack, "AWS::CloudWatch::Alarm").size())
                        .sum();
        int counted = 0;
        for (Cost.Item item : Cost.of(config).items()) {
            if (item.what().contains("alarms")) {
                Matcher count = COUNT.matcher(item.arithmetic());
                assertTrue(count.find(), item.arithmetic());
                counted += Integer.parseInt(count.group(1));
            }
        }
        assertEquals(alarms, counted);
    }

    /** Five nodes and a blank one, which is paid as the six that are reserved; then three. */
    @Test
    void countsTheServersThatAreMade() {
        assertEquals(
                List.of(
                        "5 m7g.large x 730 h x 0.08160",
                        "6 m7g.large x 730 h x 0.08160",
                        "5 x 50 GiB x 0.08",
                        "1 x 50 GiB x 0.08"),
                arithmetic("cluster"));
        assertEquals(
                List.of(
                        "3 r8g.large x 730 h x 0.11782",
                        "0 r8g.large x 730 h x 0.11782",
                        "3 x 50 GiB x 0.08",
                        "0 x 50 GiB x 0.08"),
                arithmetic("pilot-light"));
        double servers =
                Cost.of(Examples.load("cluster")).items().stream()
                        .filter(it -> it.what().startsWith("instances"))
                        .mapToDouble(Cost.Item::usd)
                        .sum();
        assertEquals(11 * 730 * 0.0816, servers, 0.001);
    }

    private static List<String> arithmetic(String example) {
        List<Cost.Item> items = Cost.of(Examples.load(example)).items();
        return Stream.of("instances", "volumes")
                .flatMap(what -> items.stream().filter(it -> it.what().startsWith(what)))
                .map(Cost.Item::arithmetic)
                .toList();
    }

    @ParameterizedTest
    @CsvSource({"backup, 35, 60", "automatic, 150, 230", "cluster, 900, 1100"})
    void isOfTheSizeThatTheDocumentsName(String example, double low, double high) {
        double total = Cost.of(Examples.load(example)).total();
        assertTrue(total > low && total < high, example + " " + Cost.of(Examples.load(example)));
    }
}
